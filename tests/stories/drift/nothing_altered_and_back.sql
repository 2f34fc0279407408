-- Objects were changed, and changed back.
-- expect: nothing
ALTER TABLE machines ADD COLUMN colour text;
ALTER TABLE machines DROP COLUMN colour;
ALTER TABLE machines ALTER COLUMN notes TYPE varchar(10);
ALTER TABLE machines ALTER COLUMN notes TYPE text;
ALTER TABLE machines ALTER COLUMN name DROP NOT NULL, ALTER COLUMN status DROP DEFAULT;
ALTER TABLE machines ALTER COLUMN name SET NOT NULL, ALTER COLUMN status SET DEFAULT 'active';
ALTER TABLE machines RENAME TO machines_old;
ALTER TABLE machines_old RENAME TO machines;
ALTER TABLE machines SET UNLOGGED;
ALTER TABLE machines SET LOGGED;
ALTER TABLE machines DISABLE TRIGGER ALL;
ALTER TABLE machines ENABLE TRIGGER ALL;
ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE';
ALTER TYPE machinestatus RENAME VALUE 'ACTIVE' TO 'active';
ALTER FUNCTION machines_set_updated_at() SECURITY DEFINER;
ALTER FUNCTION machines_set_updated_at() SECURITY INVOKER;
ALTER TABLE machines DROP CONSTRAINT machines_pkey;
ALTER TABLE machines ADD CONSTRAINT machines_pkey PRIMARY KEY (id);

-- NOT NULL was added again without validation of the existing rows.
-- expect: schema_mismatch column:public.machines.name
-- since: 18
ALTER TABLE machines ALTER COLUMN name DROP NOT NULL;
ALTER TABLE machines ADD CONSTRAINT machines_name_not_null NOT NULL name NOT VALID;

-- NOT NULL was put back without a look at the rows that are there.
-- expect: schema_mismatch column:public.machines.name
-- since: 18
ALTER TABLE machines ALTER COLUMN name DROP NOT NULL;
ALTER TABLE machines ADD CONSTRAINT machines_name_not_null NOT NULL name NOT VALID;

-- A column lost its NOT NULL.
-- expect: schema_mismatch column:public.machines.name
ALTER TABLE machines ALTER COLUMN name DROP NOT NULL;

-- A text sorts in another way.
-- expect: schema_mismatch column:public.machines.name
ALTER TABLE machines ALTER COLUMN name TYPE text COLLATE "C";

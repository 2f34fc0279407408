-- A column is missing.
-- expect: schema_mismatch column:public.machines.notes
ALTER TABLE machines DROP COLUMN notes;

-- A column is gone.
-- expect: schema_mismatch column:public.machines.notes
ALTER TABLE machines DROP COLUMN notes;

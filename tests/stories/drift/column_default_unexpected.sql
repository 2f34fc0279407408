-- A column has a default that nobody gave it.
-- expect: schema_mismatch column:public.machines.notes
ALTER TABLE machines ALTER COLUMN notes SET DEFAULT '';

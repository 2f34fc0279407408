-- A column has an unexpected default.
-- expect: schema_mismatch column:public.machines.notes
ALTER TABLE machines ALTER COLUMN notes SET DEFAULT '';

-- A column has another default.
-- expect: schema_mismatch column:public.machines.status
ALTER TABLE machines ALTER COLUMN status SET DEFAULT 'inactive';

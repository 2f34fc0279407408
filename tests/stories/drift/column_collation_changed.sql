-- A text column has another sort order.
-- expect: schema_mismatch column:public.machines.name
ALTER TABLE machines ALTER COLUMN name TYPE text COLLATE "C";

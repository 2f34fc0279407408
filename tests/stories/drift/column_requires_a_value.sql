-- A nullable column became NOT NULL.
-- expect: schema_mismatch column:public.machines.notes
ALTER TABLE machines ALTER COLUMN notes SET NOT NULL;

-- The status became a text: it takes any value.
-- expect: schema_mismatch column:public.machines.status
ALTER TABLE machines ALTER COLUMN status TYPE text;

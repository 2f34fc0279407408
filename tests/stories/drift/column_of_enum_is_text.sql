-- The status became a text column: it accepts any value.
-- expect: schema_mismatch column:public.machines.status
ALTER TABLE machines ALTER COLUMN status TYPE text;

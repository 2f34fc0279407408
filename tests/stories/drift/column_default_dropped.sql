-- A column lost its default.
-- expect: schema_mismatch column:public.machines.status
ALTER TABLE machines ALTER COLUMN status DROP DEFAULT;

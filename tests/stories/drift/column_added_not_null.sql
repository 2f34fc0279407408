-- A table has an additional column; every INSERT that does not provide it fails.
-- expect: schema_mismatch column:public.machines.colour
ALTER TABLE machines ADD COLUMN colour text NOT NULL;

-- A table has an additional column; every INSERT that does not provide it fails.
-- expect: schema_mismatch column:public.machines.colour
-- repair: no, an unexpected object is dropped or adopted by hand
ALTER TABLE machines ADD COLUMN colour text NOT NULL;

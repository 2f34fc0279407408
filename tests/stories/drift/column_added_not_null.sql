-- There is a column more, and every INSERT fails that does not name it.
-- expect: schema_mismatch column:public.machines.colour
-- repair: no, an object that nobody expects is dropped or adopted by hand
ALTER TABLE machines ADD COLUMN colour text NOT NULL;

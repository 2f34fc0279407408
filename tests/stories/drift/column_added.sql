-- A table has an additional column; INSERTs need not provide it.
-- expect: unexpected_object column:public.machines.colour
-- repair: no, an unexpected object is dropped or adopted by hand
ALTER TABLE machines ADD COLUMN colour text;

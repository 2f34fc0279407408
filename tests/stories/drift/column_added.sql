-- There is a column more; INSERTs need not name it.
-- expect: unexpected_object column:public.machines.colour
-- repair: no, an object that nobody expects is dropped or adopted by hand
ALTER TABLE machines ADD COLUMN colour text;

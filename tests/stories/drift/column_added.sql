-- A table has an additional column; INSERTs need not provide it.
-- expect: unexpected_object column:public.machines.colour
ALTER TABLE machines ADD COLUMN colour text;

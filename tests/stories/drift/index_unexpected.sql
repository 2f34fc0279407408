-- Somebody added an index.
-- expect: unexpected_object index:public.machines.machines_name_idx
-- repair: no, an object that nobody expects is dropped or adopted by hand
CREATE INDEX CONCURRENTLY machines_name_idx ON machines (name);

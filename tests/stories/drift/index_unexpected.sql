-- An index was added by hand.
-- expect: unexpected_object index:public.machines.machines_name_idx
-- repair: no, an unexpected object is dropped or adopted by hand
CREATE INDEX CONCURRENTLY machines_name_idx ON machines (name);

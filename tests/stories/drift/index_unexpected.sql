-- An index was added by hand.
-- expect: unexpected_object index:public.machines.machines_name_idx
CREATE INDEX CONCURRENTLY machines_name_idx ON machines (name);

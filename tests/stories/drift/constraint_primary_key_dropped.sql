-- A table has no key any more.
-- expect: schema_mismatch constraint:public.machines.machines_pkey
ALTER TABLE machines DROP CONSTRAINT machines_pkey;

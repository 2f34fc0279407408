-- A table has no primary key.
-- expect: schema_mismatch constraint:public.machines.machines_pkey
ALTER TABLE machines DROP CONSTRAINT machines_pkey;

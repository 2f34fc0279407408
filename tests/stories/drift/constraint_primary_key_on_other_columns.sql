-- The primary key is on other columns.
-- expect: schema_mismatch constraint:public.machines.machines_pkey
ALTER TABLE machines DROP CONSTRAINT machines_pkey;
ALTER TABLE machines ADD CONSTRAINT machines_pkey PRIMARY KEY (id, customer_organization_id);

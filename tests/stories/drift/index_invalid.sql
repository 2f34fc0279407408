-- An index is invalid, and queries do not use it.
-- expect: schema_mismatch index:public.machines.machines_serial_number_customer_organization_id_idx
UPDATE pg_catalog.pg_index
   SET indisvalid = false
 WHERE indexrelid = 'machines_serial_number_customer_organization_id_idx'::regclass;

-- An index is missing: queries are slower.
-- expect: schema_mismatch index:public.machines.machines_serial_number_customer_organization_id_idx
DROP INDEX machines_serial_number_customer_organization_id_idx;

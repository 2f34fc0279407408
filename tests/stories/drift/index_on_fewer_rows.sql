-- An index of the same name covers fewer rows.
-- expect: schema_mismatch index:public.machines.machines_serial_number_customer_organization_id_idx
DROP INDEX machines_serial_number_customer_organization_id_idx;
CREATE INDEX machines_serial_number_customer_organization_id_idx
    ON machines (serial_number, customer_organization_id)
 WHERE status = 'active';

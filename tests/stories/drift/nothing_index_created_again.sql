-- An index was dropped and created again.
-- expect: nothing
DROP INDEX machines_serial_number_customer_organization_id_idx;
CREATE INDEX CONCURRENTLY machines_serial_number_customer_organization_id_idx
    ON machines USING btree (serial_number, customer_organization_id);

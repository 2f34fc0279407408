-- Indexes are rebuilt and rows sorted anew.
-- expect: nothing
REINDEX TABLE machines;
REINDEX INDEX CONCURRENTLY machines_serial_number_customer_organization_id_idx;
CLUSTER machines USING machines_pkey;
ALTER TABLE machines SET WITHOUT CLUSTER;

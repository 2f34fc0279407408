-- Indexes are rebuilt and tables are clustered again.
-- expect: nothing
REINDEX TABLE machines;
REINDEX INDEX CONCURRENTLY machines_serial_number_customer_organization_id_idx;
CLUSTER machines USING machines_pkey;
ALTER TABLE machines SET WITHOUT CLUSTER;

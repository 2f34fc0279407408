-- CREATE INDEX CONCURRENTLY failed and left an invalid index.
-- expect: schema_mismatch index:public.machines.machines_serial_number_idx
-- repair: no, the duplicates must be removed first
-- given:
CREATE UNIQUE INDEX machines_serial_number_idx ON machines (serial_number);
-- drift:
DROP INDEX machines_serial_number_idx;
INSERT INTO machines (customer_organization_id, model_type, name, serial_number)
SELECT gen_random_uuid(), 'press', 'twin', '4711' FROM generate_series(1, 2);
CREATE UNIQUE INDEX CONCURRENTLY machines_serial_number_idx -- fails: 23505
    ON machines (serial_number);

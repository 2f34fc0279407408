-- ANALYZE and VACUUM run.
-- expect: nothing
INSERT INTO machines (customer_organization_id, model_type, name, serial_number)
SELECT gen_random_uuid(), 'press', 'p' || i, i::text FROM generate_series(1, 1000) AS i;
ANALYZE;
VACUUM;
VACUUM (FULL, ANALYZE) machines;
VACUUM FULL pg_catalog.pg_attribute;

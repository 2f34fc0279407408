-- Rows are inserted, updated and deleted.
-- expect: nothing
INSERT INTO machines (customer_organization_id, model_type, name, serial_number)
SELECT gen_random_uuid(), 'press', 'p' || i, i::text FROM generate_series(1, 1000) AS i;
UPDATE machines SET status = 'maintenance', notes = 'x' WHERE serial_number < '5';
DELETE FROM machines WHERE serial_number > '7';
TRUNCATE machines;

-- A file that is not one transaction was interrupted, and left a partly built index.
-- expect: migration_interrupted migration:"0010_machines_serial_number_index"
-- repair: no, healthd resume completes it
DELETE FROM _yoyo_migration WHERE migration_id = '0010_machines_serial_number_index';
DROP INDEX machines_serial_number_customer_organization_id_idx;
INSERT INTO _healthd_progress (migration_hash, operation, statement, statements, migration_id, digest)
VALUES ('0', 'apply', 1, 2, '0010_machines_serial_number_index', '');

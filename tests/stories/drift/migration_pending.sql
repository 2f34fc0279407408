-- The last migration was not applied here: pending is not drift.
-- expect: migration_pending migration:"0010_machines_serial_number_index"
-- repair: no, run healthd migrate
DROP INDEX machines_serial_number_customer_organization_id_idx;
DELETE FROM _healthd_migration WHERE migration_id = '0010_machines_serial_number_index';
DELETE FROM _yoyo_migration WHERE migration_id = '0010_machines_serial_number_index';

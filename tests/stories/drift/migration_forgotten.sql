-- What a migration made is there, but the books do not say that it was applied.
-- expect: migration_pending migration:"0010_machines_serial_number_index"
-- expect: unexpected_object index:public.machines.machines_serial_number_customer_organization_id_idx
-- repair: no, the books are mended by hand
DELETE FROM _yoyo_migration WHERE migration_id = '0010_machines_serial_number_index';

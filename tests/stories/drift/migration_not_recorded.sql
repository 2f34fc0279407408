-- The objects of a migration exist, but it is not recorded as applied.
-- expect: migration_pending migration:"0010_machines_serial_number_index"
-- expect: unexpected_object index:public.machines.machines_serial_number_customer_organization_id_idx
-- repair: no, the ledger is corrected by hand
DELETE FROM _yoyo_migration WHERE migration_id = '0010_machines_serial_number_index';

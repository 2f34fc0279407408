-- A file was deleted after it was applied.
-- expect: migration_missing migration:"0010_machines_serial_number_index"
-- repair: no, the file must be restored
-- lost: 0010_machines_serial_number_index
SELECT 1;

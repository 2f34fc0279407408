-- A file was edited after it was applied here.
-- expect: migration_edited migration:"0003_machines"
-- repair: no, the file must be restored
UPDATE _healthd_migration SET digest = 'sha256:0' WHERE migration_id = '0003_machines';

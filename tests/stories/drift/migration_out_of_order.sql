-- A migration was skipped, and newer ones are applied.
-- expect: migration_pending migration:"0007_machines_notes"
-- repair: no, run healthd migrate
ALTER TABLE machines DROP COLUMN notes;
DELETE FROM _yoyo_migration WHERE migration_id = '0007_machines_notes';

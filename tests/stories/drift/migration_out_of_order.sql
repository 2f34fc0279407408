-- A migration was left out, and newer ones are applied.
-- expect: migration_pending migration:"0007_machines_notes"
-- repair: no, healthd migrate is the way
ALTER TABLE machines DROP COLUMN notes;
DELETE FROM _yoyo_migration WHERE migration_id = '0007_machines_notes';

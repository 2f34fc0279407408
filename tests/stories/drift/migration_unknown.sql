-- A release with other files migrated the database.
-- expect: migration_unknown migration:"0011_from_another_branch"
-- repair: no, these are the wrong files
INSERT INTO _yoyo_migration (migration_hash, migration_id, applied_at_utc)
VALUES (encode(sha256('0011_from_another_branch'), 'hex'), '0011_from_another_branch', now());

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE COLLATION app.plain (LOCALE = 'C');
CREATE COLLATION app.provided (PROVIDER = libc, LOCALE = 'POSIX');
CREATE COLLATION app.two (LC_COLLATE = 'C', LC_CTYPE = 'POSIX');
CREATE COLLATION app.copied FROM "C";
-- moves nothing
CREATE COLLATION IF NOT EXISTS app.plain (LOCALE = 'C');
-- moves nothing
CREATE COLLATION IF NOT EXISTS app.copied FROM "C";
-- since: 17
CREATE COLLATION app.own (PROVIDER = builtin, LOCALE = 'C.UTF-8');
-- since: 17
CREATE COLLATION app.owned (PROVIDER = builtin, LOCALE = 'C');
-- since: 18
CREATE COLLATION app.folded (PROVIDER = builtin, LOCALE = 'PG_UNICODE_FAST');
CREATE TABLE app.used (a text COLLATE app.plain);
CREATE DOMAIN app.word AS text COLLATE app.two;
-- moves nothing
ALTER COLLATION app.copied REFRESH VERSION;
ALTER COLLATION app.plain RENAME TO simple;
ALTER COLLATION app.simple SET SCHEMA other;
-- Where the server was built without ICU, this does nothing, and must be seen to do nothing.
DO $$ BEGIN CREATE COLLATION app.german (PROVIDER = icu, LOCALE = 'de-u-co-phonebk');
EXCEPTION WHEN feature_not_supported THEN NULL; END $$;
DO $$ BEGIN CREATE COLLATION app.loose (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
EXCEPTION WHEN feature_not_supported THEN NULL; END $$;
-- since: 16
DO $$ BEGIN CREATE COLLATION app.ruled (PROVIDER = icu, LOCALE = 'und', RULES = '&V << w <<< W');
EXCEPTION WHEN feature_not_supported THEN NULL; END $$;
-- What an upgrade of the library does.
-- since: 17
-- sees more
UPDATE pg_catalog.pg_collation SET collversion = 'older' WHERE collname = 'own';
-- since: 17
-- sees more
ALTER COLLATION app.own REFRESH VERSION;
DROP COLLATION app.copied;
-- moves nothing
DROP COLLATION IF EXISTS app.copied;
-- fails
DROP COLLATION other.simple;
DROP COLLATION other.simple CASCADE;
DROP SCHEMA app CASCADE;

-- Collations, as far as outsiders go with them.
-- role: ddl_app
-- needs: superuser icu

CREATE SCHEMA app;
CREATE SCHEMA "Other 100%";
CREATE TABLE app.used (t text);
CREATE COLLATION app."de_DE 100%" (PROVIDER = icu, LOCALE = 'de-DE');
CREATE COLLATION app.nondet (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE COLLATION app.nondet2 (PROVIDER = icu, LOCALE = '@colStrength=secondary', DETERMINISTIC = false);
-- since: 16
CREATE COLLATION app.ruled (PROVIDER = icu, LOCALE = 'und', RULES = '&a < g');
-- fails
CREATE COLLATION app.ruled2 (PROVIDER = icu, LOCALE = '', RULES = '&''a''<b ''\ 100%''');
-- fails
CREATE COLLATION app.ruled3 (PROVIDER = libc, LOCALE = 'C', RULES = '&a < g');
CREATE COLLATION app.copied FROM app.nondet;
CREATE COLLATION app.posix (LC_COLLATE = 'POSIX', LC_CTYPE = 'C');
CREATE COLLATION app.utf (LOCALE = 'C.UTF-8');
-- since: 17
CREATE COLLATION app.utf2 (PROVIDER = builtin, LOCALE = 'C.UTF8');
-- fails
CREATE COLLATION app.utf3 (PROVIDER = builtin, LOCALE = 'nonsense');
-- fails
CREATE COLLATION app.def FROM "default";
CREATE COLLATION app.ucs FROM ucs_basic;
-- since: 16
CREATE COLLATION app.unicode FROM "unicode";
CREATE COLLATION app.versioned (PROVIDER = icu, LOCALE = 'fr', VERSION = '1');
-- fails
CREATE COLLATION app.bad (LOCALE = 'nowhere_NO');
-- moves nothing
CREATE COLLATION IF NOT EXISTS app.posix (LOCALE = 'C');
-- moves nothing
CREATE COLLATION IF NOT EXISTS app.posix FROM "C";
-- moves nothing
ALTER COLLATION app.posix REFRESH VERSION;
ALTER COLLATION app.nondet RENAME TO "Nondet ""x""";
ALTER COLLATION app."Nondet ""x""" OWNER TO ddl_app;
ALTER COLLATION app."Nondet ""x""" SET SCHEMA "Other 100%";
COMMENT ON COLLATION "Other 100%"."Nondet ""x""" IS 'A collation.';
-- moves nothing
COMMENT ON COLLATION pg_catalog."C" IS 'x';
ALTER TABLE app.used ADD COLUMN u text COLLATE "Other 100%"."Nondet ""x""";
CREATE DOMAIN app.dom AS text COLLATE "Other 100%"."Nondet ""x""";
-- since: 16
CREATE TYPE app.rng AS RANGE (SUBTYPE = text, COLLATION = app.ruled);
-- fails
DROP COLLATION app.ruled;
-- since: 16
DROP COLLATION app.ruled CASCADE;
DROP SCHEMA app CASCADE;

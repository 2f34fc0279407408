-- Types: enums, domains, composites, ranges, base types, as far as outsiders go with them.
-- role: ddl_app ddl_other
-- needs: superuser

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TYPE app.pair AS (a integer, b text);
ALTER TYPE app.pair ADD ATTRIBUTE c varchar(10) COLLATE "C";
ALTER TYPE app.pair ADD ATTRIBUTE d numeric(5,2), ADD ATTRIBUTE e timestamptz(3);
ALTER TYPE app.pair ALTER ATTRIBUTE c TYPE varchar(20) COLLATE "C";
ALTER TYPE app.pair ALTER ATTRIBUTE c SET DATA TYPE varchar(20);
-- moves nothing
ALTER TYPE app.pair ALTER ATTRIBUTE c SET DATA TYPE varchar(20) COLLATE "default";
ALTER TYPE app.pair RENAME ATTRIBUTE a TO "A b";
-- fails
ALTER TYPE app.pair RENAME ATTRIBUTE "A b" TO "A b";
ALTER TYPE app.pair DROP ATTRIBUTE d;
-- moves nothing
ALTER TYPE app.pair DROP ATTRIBUTE IF EXISTS d;
-- fails
ALTER TYPE app.pair DROP ATTRIBUTE d;
ALTER TYPE app.pair DROP ATTRIBUTE e, ADD ATTRIBUTE e integer[];
-- fails
ALTER TYPE app.pair ADD ATTRIBUTE e integer;
COMMENT ON COLUMN app.pair."A b" IS 'An attribute.';
ALTER TYPE app.pair RENAME ATTRIBUTE "A b" TO a;
ALTER TYPE app.pair DROP ATTRIBUTE a CASCADE;
CREATE TYPE app.empty AS ();
ALTER TYPE app.empty ADD ATTRIBUTE "select" integer;
CREATE TYPE app.nested AS (one app.pair, many app.pair[], e app.empty);
CREATE TABLE app.typed OF app.pair;
CREATE TABLE app.using_it (p app.pair, ps app.pair[]);
-- fails
ALTER TYPE app.pair ADD ATTRIBUTE z integer;
ALTER TYPE app.pair ADD ATTRIBUTE z integer CASCADE;
-- fails
ALTER TYPE app.pair RENAME ATTRIBUTE z TO zz;
ALTER TYPE app.pair RENAME ATTRIBUTE z TO zz CASCADE;
-- fails
ALTER TYPE app.pair ALTER ATTRIBUTE zz TYPE bigint CASCADE;
ALTER TYPE app.pair DROP ATTRIBUTE zz CASCADE;
ALTER TYPE app.pair RENAME TO "Pair ""of"" 100%";
ALTER TYPE app."Pair ""of"" 100%" SET SCHEMA other;
ALTER TYPE other."Pair ""of"" 100%" OWNER TO ddl_app;
-- moves nothing
ALTER TYPE other."Pair ""of"" 100%" OWNER TO ddl_app;
GRANT USAGE ON TYPE other."Pair ""of"" 100%" TO ddl_other WITH GRANT OPTION;
COMMENT ON TYPE other."Pair ""of"" 100%" IS '100% "quoted" it''s';
-- fails
ALTER TABLE other."Pair ""of"" 100%" RENAME TO x;
-- fails
ALTER TABLE other."Pair ""of"" 100%" ADD COLUMN x integer;
-- What tables, arrays and multiranges bring along is nobody's own.
-- moves nothing
GRANT USAGE ON TYPE app.typed TO ddl_app;
-- moves nothing
COMMENT ON TYPE app.typed IS 'A row.';
-- fails
GRANT USAGE ON TYPE app._typed TO ddl_app;
-- moves nothing
COMMENT ON TYPE app._typed IS 'An array.';
-- fails
ALTER TYPE app.typed RENAME TO tt;
-- fails
ALTER TYPE app._typed RENAME TO tt;
-- fails
ALTER TYPE app.typed OWNER TO ddl_app;
-- moves nothing
GRANT USAGE ON TYPE pg_catalog.anyelement TO ddl_app;
-- moves nothing
REVOKE USAGE ON TYPE pg_catalog.record FROM PUBLIC;
-- moves nothing
GRANT USAGE ON TYPE pg_catalog.record TO PUBLIC;
REVOKE USAGE ON TYPE pg_catalog.int4range FROM PUBLIC;
GRANT USAGE ON TYPE pg_catalog.int4range TO PUBLIC;
-- moves nothing
GRANT USAGE ON TYPE pg_catalog.pg_class TO ddl_app;
-- moves nothing
REVOKE USAGE ON DOMAIN information_schema.cardinal_number FROM PUBLIC;
-- moves nothing
GRANT USAGE ON DOMAIN information_schema.cardinal_number TO PUBLIC;
REVOKE USAGE ON TYPE pg_catalog.text FROM PUBLIC;
GRANT USAGE ON TYPE pg_catalog.text TO PUBLIC;
-- moves nothing
COMMENT ON TYPE pg_catalog.text IS 'x';
-- moves nothing
CREATE TYPE pg_catalog.ours AS ENUM ('a');
-- moves nothing
CREATE DOMAIN information_schema.ours AS integer;
-- moves nothing
DROP DOMAIN IF EXISTS information_schema.ours;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
ALTER TYPE app.mood ADD VALUE 'a' BEFORE 'good';
ALTER TYPE app.mood ADD VALUE 'b' BEFORE 'good';
ALTER TYPE app.mood ADD VALUE 'c' BEFORE 'good';
-- fails
ALTER TYPE app.mood ADD VALUE 'd' AFTER 'nowhere';
-- fails
ALTER TYPE app.mood RENAME VALUE 'a' TO 'a';
-- fails
ALTER TYPE app.mood RENAME VALUE 'a' TO 'b';
ALTER TYPE app.mood RENAME VALUE 'a' TO 'A "quoted" label, {with} \ 100%';
ALTER TYPE app.mood ADD VALUE 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
-- fails
ALTER TYPE app.mood ADD VALUE 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
ALTER TYPE app.mood ADD VALUE '';
ALTER TYPE app.mood OWNER TO ddl_app;
-- fails
ALTER TYPE app.mood ADD ATTRIBUTE x integer;
-- fails
CREATE TYPE app.twice AS ENUM ('a', 'a');
CREATE TYPE "mood" AS ENUM ('good', 'bad');
CREATE TYPE other.mood AS ENUM ('bad', 'good');
CREATE TYPE other.moods AS ENUM ('good', 'bad');
-- fails
DROP TYPE other.mood, other.nowhere;
DROP TYPE IF EXISTS other.mood, other.nowhere;
CREATE DOMAIN app.email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE DOMAIN app.email2 AS text CONSTRAINT "at ""sign""" CHECK (VALUE ~ '^[^@]+@[^@]+$') CONSTRAINT short CHECK (length(VALUE) < 100);
ALTER DOMAIN app.email ADD CONSTRAINT short CHECK (length(VALUE) < 100) NOT VALID;
-- fails
ALTER DOMAIN app.email ADD CONSTRAINT short CHECK (length(VALUE) < 100);
ALTER DOMAIN app.email VALIDATE CONSTRAINT short;
-- fails
ALTER DOMAIN app.email VALIDATE CONSTRAINT nowhere;
COMMENT ON CONSTRAINT short ON DOMAIN app.email IS 'A check.';
COMMENT ON CONSTRAINT short ON DOMAIN app.email IS NULL;
ALTER DOMAIN app.email RENAME CONSTRAINT short TO "Short 100%";
COMMENT ON CONSTRAINT "Short 100%" ON DOMAIN app.email IS 'A check.';
ALTER DOMAIN app.email DROP CONSTRAINT "Short 100%";
-- fails
ALTER DOMAIN app.email DROP CONSTRAINT nowhere;
-- moves nothing
ALTER DOMAIN app.email DROP CONSTRAINT IF EXISTS nowhere;
ALTER DOMAIN app.email SET DEFAULT 'a@b';
ALTER DOMAIN app.email SET DEFAULT 'a' || '@b';
ALTER DOMAIN app.email SET DEFAULT 'a@b'::text;
ALTER DOMAIN app.email SET DEFAULT lower('A@B');
ALTER DOMAIN app.email DROP DEFAULT;
-- moves nothing
ALTER DOMAIN app.email DROP DEFAULT;
ALTER DOMAIN app.email SET NOT NULL;
-- since: 17
COMMENT ON CONSTRAINT email_not_null ON DOMAIN app.email IS 'Not null.';
-- since: 17
ALTER DOMAIN app.email DROP CONSTRAINT email_not_null;
-- until: 16
ALTER DOMAIN app.email DROP NOT NULL;
-- moves nothing
ALTER DOMAIN app.email DROP NOT NULL;
-- since: 17
ALTER DOMAIN app.email ADD CONSTRAINT present NOT NULL;
-- since: 17
-- moves nothing
ALTER DOMAIN app.email ADD CONSTRAINT present2 NOT NULL;
-- since: 17
COMMENT ON CONSTRAINT present ON DOMAIN app.email IS 'Not null.';
ALTER DOMAIN app.email DROP NOT NULL;
-- fails
ALTER DOMAIN app.email ADD NULL;
ALTER DOMAIN app.email RENAME TO mail;
ALTER DOMAIN app.mail SET SCHEMA other;
ALTER DOMAIN other.mail OWNER TO ddl_app;
ALTER DOMAIN other.mail OWNER TO CURRENT_USER;
CREATE DOMAIN app.d1 AS app.mood DEFAULT 'good';
-- fails
CREATE DOMAIN app.d2 AS app.d1 CHECK (VALUE <> 'bad');
CREATE DOMAIN app.d3 AS other."Pair ""of"" 100%" CHECK ((VALUE).c IS NOT NULL);
CREATE DOMAIN app.d4 AS app.mood[] DEFAULT '{good}' CHECK (cardinality(VALUE) > 0);
CREATE DOMAIN app.d5 AS int4range DEFAULT '[1,3)';
CREATE DOMAIN app.d6 AS char;
CREATE DOMAIN app.d7 AS "char";
CREATE DOMAIN app.d8 AS varchar COLLATE "POSIX";
CREATE DOMAIN app.d9 AS bit varying(3) DEFAULT B'101';
-- fails
CREATE DOMAIN app.d10 AS integer DEFAULT 1 DEFAULT 2;
-- fails
CREATE DOMAIN app.d10 AS integer NOT NULL NULL;
-- fails
CREATE DOMAIN app.d10 AS integer PRIMARY KEY;
-- fails
CREATE DOMAIN app.d10 AS integer CHECK (VALUE > (SELECT 1));
CREATE FUNCTION app.positive(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
CREATE DOMAIN app.d11 AS integer CHECK (app.positive(VALUE));
ALTER FUNCTION app.positive(integer) RENAME TO is_positive;
CREATE SEQUENCE app.s;
CREATE DOMAIN app.d12 AS bigint DEFAULT nextval('app.s');
ALTER SEQUENCE app.s RENAME TO ss;
-- fails
DROP SEQUENCE app.ss;
DROP SEQUENCE app.ss CASCADE;
ALTER TYPE app.mood RENAME VALUE 'good' TO 'fine';
ALTER TYPE app.d6 RENAME TO d66;
-- fails
ALTER DOMAIN app.mood RENAME TO x;
-- fails
ALTER DOMAIN app.mood SET DEFAULT 'fine';
-- fails
DROP DOMAIN app.mood;
DROP TYPE app.d66;
DROP DOMAIN app.d1;
-- fails
DROP DOMAIN app.d1 CASCADE;
CREATE TYPE app.span AS RANGE (SUBTYPE = date);
-- since: 14
CREATE TYPE app.span2 AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi, MULTIRANGE_TYPE_NAME = "Multi ""span""");
CREATE TYPE app.span3 AS RANGE (SUBTYPE = text, COLLATION = "C", SUBTYPE_OPCLASS = text_ops);
CREATE TYPE app.span4 AS RANGE (SUBTYPE = app.d11);
CREATE TYPE app.span5 AS RANGE (SUBTYPE = app.d11, SUBTYPE_OPCLASS = int4_ops);
CREATE TYPE app.span6 AS RANGE (SUBTYPE = int4range);
CREATE TYPE app.span7 AS RANGE (SUBTYPE = integer[]);
-- fails
CREATE TYPE app.span8 AS RANGE (SUBTYPE = json);
CREATE TYPE app.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa AS RANGE (SUBTYPE = integer);
CREATE TYPE app.range AS RANGE (SUBTYPE = integer);
CREATE TYPE app.rangerange AS RANGE (SUBTYPE = integer);
CREATE TYPE app."Range" AS RANGE (SUBTYPE = integer);
ALTER TYPE app.range RENAME TO r;
ALTER TYPE app.r RENAME TO range;
COMMENT ON TYPE app.span IS 'A span.';
-- since: 14
-- moves nothing
COMMENT ON TYPE app.span_multirange IS 'Many spans.';
-- since: 14
-- until: 16
GRANT USAGE ON TYPE app.span_multirange TO ddl_app;
GRANT USAGE ON TYPE app.span TO ddl_app;
-- since: 14
-- until: 16
ALTER TYPE app.span_multirange OWNER TO ddl_app;
ALTER TYPE app.span OWNER TO ddl_app;
-- since: 14
ALTER TYPE app.span_multirange RENAME TO spans;
-- since: 14
ALTER TYPE app.spans SET SCHEMA other;
ALTER TYPE app.span SET SCHEMA other;
-- fails
DROP TYPE other.spans;
-- fails
REVOKE EXECUTE ON FUNCTION other.span(date, date) FROM PUBLIC;
-- fails
COMMENT ON FUNCTION other.span(date, date) IS 'Made by its type.';
-- fails
ALTER FUNCTION other.span(date, date) COST 5;
-- fails
ALTER FUNCTION other.span(date, date) OWNER TO ddl_other;
-- fails
ALTER FUNCTION other.span(date, date) RENAME TO spanned;
CREATE FUNCTION other.span(date) RETURNS other.span LANGUAGE sql AS 'SELECT NULL::other.span';
-- fails
DROP TYPE other.span RESTRICT;
DROP TYPE other.span CASCADE;
CREATE TYPE app.shell;
-- fails
CREATE TYPE app.shell;
COMMENT ON TYPE app.shell IS 'A shell.';
ALTER TYPE app.shell OWNER TO ddl_app;
-- since: 18
GRANT USAGE ON TYPE app.shell TO ddl_other;
-- fails
ALTER TYPE app.shell RENAME TO shell2;
-- fails
ALTER TYPE app.shell2 SET SCHEMA other;
-- fails
DROP TYPE other.shell2;
CREATE TYPE app.b;
CREATE FUNCTION app.b_in(cstring) RETURNS app.b LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION app.b_out(app.b) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE app.b (INPUT = app.b_in, OUTPUT = app.b_out);
GRANT USAGE ON TYPE app.b TO ddl_app;
REVOKE USAGE ON TYPE app.b FROM PUBLIC;
COMMENT ON TYPE app.b IS 'A base type.';
ALTER TYPE app.b OWNER TO ddl_app;
ALTER TYPE app.b SET (STORAGE = extended);
-- moves nothing
ALTER TYPE app.b SET (STORAGE = extended);
-- fails
ALTER TYPE app.b SET (INPUT = textin);
CREATE DOMAIN app.on_b AS app.b;
ALTER TYPE app.b SET (TYPMOD_IN = varchartypmodin, TYPMOD_OUT = varchartypmodout);
CREATE TABLE app.bs (b app.b(5), bs app.b[]);
COMMENT ON FUNCTION app.b_in(cstring) IS 'Reads.';
ALTER FUNCTION app.b_out(app.b) COST 5;
-- fails
DROP FUNCTION app.b_in(cstring);
DROP TYPE app.b CASCADE;
-- moves nothing
CREATE TYPE pg_temp.x AS (a integer);
-- moves nothing
ALTER TYPE pg_temp.x ADD ATTRIBUTE b text;
-- moves nothing
COMMENT ON TYPE pg_temp.x IS 'x';
-- moves nothing
CREATE TYPE pg_temp.y AS RANGE (SUBTYPE = integer);
-- moves nothing
CREATE TEMPORARY TABLE tt (m app.mood, d app.d11);
CREATE TABLE app._used (a integer);
CREATE TABLE app.used (a integer);
CREATE TYPE app.used_too AS (a app.used, b app._used, c app.used[]);
ALTER TABLE app._used RENAME TO __used;
REASSIGN OWNED BY ddl_app TO ddl_other;
DROP OWNED BY ddl_other CASCADE;
DROP SCHEMA other CASCADE;
DROP SCHEMA app CASCADE;

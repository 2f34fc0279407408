-- Functions, procedures and aggregates, as far as outsiders go with them.
-- role: ddl_app ddl_other
-- needs: superuser

CREATE SCHEMA app;
CREATE SCHEMA "Odd ""schema"" 100%";
CREATE TYPE app.pair AS (a integer, b text);
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE DOMAIN app.size AS integer CHECK (VALUE > 0);
CREATE TABLE app.t (id integer PRIMARY KEY, n integer, s text);
CREATE FUNCTION app.f() RETURNS integer LANGUAGE sql SET work_mem = '4MB' SET search_path = app AS 'SELECT 1';
-- The order of settings is printed too.
CREATE OR REPLACE FUNCTION app.f() RETURNS integer LANGUAGE sql SET search_path = app SET work_mem = '4MB' AS 'SELECT 1';
ALTER FUNCTION app.f() RESET search_path SET search_path = app;
ALTER FUNCTION app.f() SET work_mem = '5MB';
ALTER FUNCTION app.f() SET work_mem TO DEFAULT;
ALTER FUNCTION app.f() SET TimeZone = 'UTC';
-- moves nothing
ALTER FUNCTION app.f() SET timezone = 'UTC';
ALTER FUNCTION app.f() SET TIME ZONE 'Europe/Berlin';
ALTER FUNCTION app.f() SET statement_timeout = 1000;
ALTER FUNCTION app.f() SET statement_timeout = '1s';
ALTER FUNCTION app.f() SET enable_seqscan = off;
ALTER FUNCTION app.f() SET enable_seqscan = false;
ALTER FUNCTION app.f() SET session_replication_role = replica;
ALTER FUNCTION app.f() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION app.f() SET search_path = "$user", public;
-- moves nothing
ALTER FUNCTION app.f() SET search_path FROM CURRENT;
ALTER FUNCTION app.f() SET custom.thing = '';
ALTER FUNCTION app.f() SET custom.thing = 'a, b';
-- fails
ALTER FUNCTION app.f() SET no_such_setting = 1;
-- fails
ALTER FUNCTION app.f() RESET no_such_setting;
ALTER FUNCTION app.f() RESET ALL;
-- moves nothing
ALTER FUNCTION app.f() RESET ALL;
CREATE FUNCTION app.g(a integer, b integer DEFAULT 1, c text DEFAULT 'it''s') RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE FUNCTION app.g(a integer, b integer DEFAULT 2, c text DEFAULT 'it''s') RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE FUNCTION app.g(a integer DEFAULT 0, b integer DEFAULT 2, c text DEFAULT 'it''s') RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- fails
CREATE OR REPLACE FUNCTION app.g(a integer, b integer, c text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.g(a integer, b integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.g(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE FUNCTION app.g(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- moves nothing
CREATE OR REPLACE FUNCTION app.g("a" integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.g("Odd name, with (parens) DEFAULT" bigint) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION "Odd ""schema"" 100%"."f(integer)"("x""y" integer) RETURNS integer LANGUAGE sql AS $$ SELECT 1 -- it's 100% $x$ $$;
CREATE FUNCTION "Odd ""schema"" 100%"."f(integer)"() RETURNS integer LANGUAGE sql AS 'SELECT 2';
CREATE FUNCTION app."new
line"(text) RETURNS text LANGUAGE sql AS $_$ SELECT $1 $_$;
CREATE FUNCTION app."🛠️"(text) RETURNS text LANGUAGE sql AS 'SELECT ''🛠️''::text';
CREATE FUNCTION app.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa() RETURNS text LANGUAGE sql AS 'SELECT ''x''::text';
DROP FUNCTION app.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa();
CREATE FUNCTION app.lines() RETURNS integer LANGUAGE plpgsql AS E'BEGIN\n  RETURN 1;\nEND';
CREATE OR REPLACE FUNCTION app.lines() RETURNS integer LANGUAGE plpgsql AS E'BEGIN\r\n  RETURN 1;\r\nEND';
CREATE OR REPLACE FUNCTION app.lines() RETURNS integer LANGUAGE plpgsql AS E'BEGIN\r\n  RETURN 1;\nEND';
CREATE OR REPLACE FUNCTION app.lines() RETURNS integer LANGUAGE plpgsql AS E'BEGIN\n  RETURN 1;\n\tEND  ';
-- fails
CREATE OR REPLACE FUNCTION app.lines() RETURNS integer LANGUAGE plpgsql AS E'BEGIN\n  RETURN 1; \\ \n\tEND  ';
CREATE FUNCTION app.any1(anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.any2(anyarray, anynonarray) RETURNS anyarray LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.any3(anycompatible, anycompatiblearray, anycompatiblerange) RETURNS anycompatible LANGUAGE sql AS 'SELECT $1';
-- since: 14
CREATE FUNCTION app.any4(anymultirange, anycompatiblemultirange) RETURNS anymultirange LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.any5(anyenum, anyrange) RETURNS anyenum LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.variadic(text, VARIADIC anyarray) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.variadic2(VARIADIC "any") RETURNS integer LANGUAGE internal AS 'pg_num_nulls';
CREATE FUNCTION app.outs(OUT a integer, OUT b text) LANGUAGE sql AS 'SELECT 1, ''x''::text';
CREATE OR REPLACE FUNCTION app.outs(OUT a integer, OUT b text) LANGUAGE sql AS 'SELECT 2, ''x''::text';
CREATE FUNCTION app.outs2(INOUT a integer DEFAULT 3) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.outs3(OUT a integer, OUT b text) RETURNS SETOF record LANGUAGE sql AS 'SELECT 1, ''x''::text';
CREATE FUNCTION app.tab(n integer) RETURNS TABLE (id integer, "Name" text) LANGUAGE sql AS 'SELECT 1, ''x''::text';
CREATE FUNCTION app.rows() RETURNS SETOF app.t LANGUAGE sql STABLE AS 'SELECT * FROM app.t';
CREATE FUNCTION app.one_row(app.t) RETURNS app.t LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.typed(app.t.n%TYPE) RETURNS app.t.s%TYPE LANGUAGE sql AS 'SELECT ''x''::text';
CREATE FUNCTION app.pairs(app.pair[], app.size, app.mood) RETURNS app.pair LANGUAGE sql AS 'SELECT $1[1]';
CREATE FUNCTION app.cursor() RETURNS refcursor LANGUAGE plpgsql AS 'DECLARE c refcursor; BEGIN RETURN c; END';
CREATE FUNCTION app.times(timestamp with time zone, time, interval, numeric(10,2), varchar(5), bit varying) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION app.fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION app.setted() RETURNS SETOF integer LANGUAGE sql ROWS 10 COST 20 AS 'SELECT 1';
-- fails
ALTER FUNCTION app.setted() ROWS 0;
ALTER FUNCTION app.setted() ROWS 1e6;
-- fails
ALTER FUNCTION app.setted() COST 0;
ALTER FUNCTION app.setted() COST 1e10;
-- fails
ALTER FUNCTION app.f() ROWS 10;
ALTER FUNCTION app.f() SUPPORT pg_catalog.array_unnest_support;
-- since: 15
CREATE FUNCTION app.supported(a integer) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT SUPPORT text_starts_with_support AS 'int4abs';
-- since: 14
CREATE FUNCTION app.atomic(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT a + b; END;
-- since: 14
CREATE FUNCTION app.atomic2() RETURNS SETOF app.t LANGUAGE sql BEGIN ATOMIC SELECT * FROM app.t WHERE s = 'x''y'; END;
-- since: 14
CREATE FUNCTION app.atomic3() RETURNS bigint LANGUAGE sql STABLE RETURN (SELECT count(*) FROM app.t);
-- since: 14
CREATE PROCEDURE app.atomic4(n integer) LANGUAGE sql BEGIN ATOMIC INSERT INTO app.t VALUES (n); DELETE FROM app.t WHERE id = n; UPDATE app.t SET n = atomic4.n RETURNING id; END;
ALTER TABLE app.t RENAME COLUMN s TO label;
ALTER TABLE app.t RENAME TO things;
-- until: 13
ALTER TABLE app.things DROP COLUMN label;
-- fails
DROP TABLE app.things;
-- since: 14
ALTER FUNCTION app.atomic(integer, integer) RENAME TO atomic_one;
-- since: 14
ALTER FUNCTION app.atomic_one(integer, integer) SET SCHEMA "Odd ""schema"" 100%";
CREATE PROCEDURE app.p() LANGUAGE plpgsql AS 'BEGIN COMMIT; END';
CREATE PROCEDURE app.p(a integer, b integer DEFAULT 5) LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE PROCEDURE app.p(a integer, b integer DEFAULT 6) LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE PROCEDURE app.p(a integer, b integer DEFAULT 6) LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE OR REPLACE PROCEDURE app.p(a integer, b integer DEFAULT 6) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE app.p(VARIADIC a text[]) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE app.q(INOUT a integer, IN b text) LANGUAGE plpgsql AS 'BEGIN END';
-- since: 14
CREATE PROCEDURE app.q2(OUT a integer, OUT b text) LANGUAGE plpgsql AS 'BEGIN END';
-- since: 14
CREATE PROCEDURE app.q2(IN a integer, OUT b text) LANGUAGE plpgsql AS 'BEGIN END';
-- since: 14
ALTER PROCEDURE app.q2(OUT a integer, OUT b text) RENAME TO q3;
-- since: 14
DROP PROCEDURE app.q3;
-- fails
ALTER PROCEDURE app.q STRICT;
ALTER PROCEDURE app.p(integer, integer) SET lock_timeout = '5s';
ALTER PROCEDURE app.p(integer, integer) SET lock_timeout = 5000;
ALTER PROCEDURE app.p(integer, integer) RESET lock_timeout;
ALTER PROCEDURE app.p() OWNER TO ddl_app;
-- moves nothing
ALTER PROCEDURE app.p() OWNER TO ddl_app;
GRANT EXECUTE ON PROCEDURE app.p() TO ddl_other;
REVOKE EXECUTE ON PROCEDURE app.p() FROM PUBLIC;
COMMENT ON PROCEDURE app.p(integer, integer) IS 'A procedure.';
-- fails
CREATE OR REPLACE FUNCTION app.p(a integer, b integer DEFAULT 6) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- fails
ALTER FUNCTION app.p() OWNER TO ddl_app;
-- moves nothing
DROP PROCEDURE IF EXISTS app.nowhere(integer), app.nowhere();
-- moves nothing
DROP PROCEDURE IF EXISTS nowhere.nowhere(integer);
-- moves nothing
DROP FUNCTION IF EXISTS app.f(nowhere.type);
DROP ROUTINE app.p(integer, integer), app.p();
CREATE FUNCTION app.leaky(integer) RETURNS boolean LANGUAGE sql IMMUTABLE LEAKPROOF PARALLEL SAFE STRICT SECURITY DEFINER WINDOW AS 'SELECT true';
-- fails
CREATE FUNCTION app.leaky(integer) RETURNS boolean LANGUAGE sql IMMUTABLE LEAKPROOF PARALLEL SAFE STRICT SECURITY DEFINER AS 'SELECT true';
-- fails
CREATE OR REPLACE FUNCTION app.leaky(integer) RETURNS boolean LANGUAGE sql AS 'SELECT true';
-- moves nothing
ALTER FUNCTION app.leaky(integer) EXTERNAL SECURITY DEFINER;
ALTER FUNCTION app.leaky(integer) EXTERNAL SECURITY INVOKER RESTRICT;
CREATE FUNCTION app.deleted(integer) RETURNS integer LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE OR REPLACE FUNCTION app.deleted(integer) RETURNS integer LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE OR REPLACE FUNCTION app.deleted(integer) RETURNS integer LANGUAGE c AS 'plpgsql', 'plpgsql_validator';
CREATE FUNCTION app.plpgsql_call_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql';
-- fails
CREATE FUNCTION app.transformed(integer, app.pair) RETURNS integer LANGUAGE plpgsql TRANSFORM FOR TYPE integer AS 'BEGIN RETURN 1; END';
CREATE AGGREGATE app.sum1(integer) (SFUNC = int4pl, STYPE = integer);
CREATE AGGREGATE app.sum1(bigint) (SFUNC = int8pl, STYPE = bigint, PARALLEL = SAFE);
-- fails
CREATE AGGREGATE app.sum1(a integer, b integer) (SFUNC = int4pl, STYPE = integer);
CREATE FUNCTION app.three(integer, integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION app.three(bigint, integer, integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1::bigint';
-- fails
CREATE AGGREGATE app.sum2(a integer, b integer) (SFUNC = app.three, STYPE = integer, INITCOND = '');
CREATE OR REPLACE AGGREGATE app.sum2(a integer, b integer) (SFUNC = app.three, STYPE = bigint, INITCOND = '0');
-- fails
CREATE OR REPLACE AGGREGATE app.sum2(a integer, b integer) (SFUNC = app.three, STYPE = integer, INITCOND = 'it''s');
-- fails
CREATE OR REPLACE AGGREGATE app.sum2(a integer, b integer) (SFUNC = app.three, STYPE = integer, INITCOND = '0');
-- fails
CREATE OR REPLACE AGGREGATE app.sum2(a integer, b integer) (SFUNC = app.three, STYPE = integer, SSPACE = 100);
-- fails
CREATE OR REPLACE AGGREGATE app.sum2(a integer, b integer) (SFUNC = app.three, STYPE = integer, SSPACE = 0);
CREATE AGGREGATE app.max1(integer) (SFUNC = int4larger, STYPE = integer, SORTOP = >, COMBINEFUNC = int4larger, PARALLEL = RESTRICTED);
CREATE OR REPLACE AGGREGATE app.max1(integer) (SFUNC = int4larger, STYPE = integer, SORTOP = OPERATOR(pg_catalog.<), COMBINEFUNC = int4larger, PARALLEL = RESTRICTED);
CREATE AGGREGATE app.list(text, text) (SFUNC = string_agg_transfn, STYPE = internal, FINALFUNC = string_agg_finalfn, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE app.arr(anynonarray) (SFUNC = array_agg_transfn, STYPE = internal, FINALFUNC = array_agg_finalfn, FINALFUNC_EXTRA);
-- fails
CREATE AGGREGATE app.first(anyelement) (SFUNC = app.any1, STYPE = anyelement);
CREATE FUNCTION app.keep(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1';
CREATE AGGREGATE app.first(anyelement) (SFUNC = app.keep, STYPE = anyelement);
-- fails
CREATE AGGREGATE app.var(VARIADIC items "any") (SFUNC = app.keep, STYPE = anyelement);
CREATE AGGREGATE app.pct(float8 ORDER BY float8) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_cont_float8_final, FINALFUNC_EXTRA = false);
ALTER AGGREGATE app.pct(float8 ORDER BY float8) RENAME TO percentile;
ALTER AGGREGATE app.percentile(float8 ORDER BY float8) OWNER TO ddl_app;
GRANT EXECUTE ON FUNCTION app.percentile(float8, float8) TO ddl_other;
COMMENT ON AGGREGATE app.percentile(float8 ORDER BY float8) IS 'A percentile.';
COMMENT ON AGGREGATE app.sum1(integer) IS 'A sum.';
ALTER AGGREGATE app.sum1(integer) SET SCHEMA "Odd ""schema"" 100%";
ALTER ROUTINE app.sum1(bigint) RENAME TO sum3;
-- fails
ALTER ROUTINE app.sum3(bigint) IMMUTABLE;
-- moves nothing
ALTER ROUTINE app.sum3(bigint) DEPENDS ON EXTENSION plpgsql;
ALTER ROUTINE app.f() DEPENDS ON EXTENSION plpgsql;
-- moves nothing
ALTER ROUTINE app.f() DEPENDS ON EXTENSION plpgsql;
ALTER ROUTINE app.f() NO DEPENDS ON EXTENSION plpgsql;
-- moves nothing
ALTER ROUTINE app.f() NO DEPENDS ON EXTENSION plpgsql;
ALTER FUNCTION app.keep(anyelement, anyelement) RENAME TO kept;
DROP AGGREGATE app.first(anyelement);
DROP FUNCTION app.three(integer, integer, integer);
-- fails
DROP FUNCTION app.three(integer, integer, integer) CASCADE;
-- moves nothing
DROP AGGREGATE IF EXISTS app.nowhere(*);
-- moves nothing
CREATE FUNCTION pg_temp.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- moves nothing
CREATE AGGREGATE pg_temp.agg(integer) (SFUNC = int4pl, STYPE = integer);
-- moves nothing
CREATE PROCEDURE pg_temp.proc() LANGUAGE sql AS 'SELECT 1';
-- moves nothing
GRANT EXECUTE ON FUNCTION pg_temp.f() TO ddl_app;
-- moves nothing
COMMENT ON FUNCTION pg_temp.f() IS 'x';
-- In the server's own schema nothing is a user's.
-- moves nothing
CREATE FUNCTION pg_catalog.ours(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
GRANT EXECUTE ON FUNCTION pg_catalog.ours(integer) TO ddl_app;
-- moves nothing
COMMENT ON FUNCTION pg_catalog.ours(integer) IS 'x';
-- moves nothing
ALTER FUNCTION pg_catalog.ours(integer) COST 5;
DROP FUNCTION pg_catalog.ours(integer);
-- moves nothing
COMMENT ON FUNCTION pg_catalog.abs(integer) IS 'x';
-- moves nothing
ALTER FUNCTION pg_catalog.abs(integer) COST 7;
REVOKE EXECUTE ON FUNCTION pg_catalog.sum(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.sum(integer) TO PUBLIC;
-- moves nothing
CREATE FUNCTION information_schema.ours(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- moves nothing
GRANT EXECUTE ON FUNCTION information_schema.ours(integer) TO ddl_app;
-- moves nothing
DROP FUNCTION information_schema.ours(integer);
DROP FUNCTION app.outs, app.outs2, app.outs3;
DROP SCHEMA "Odd ""schema"" 100%" CASCADE;

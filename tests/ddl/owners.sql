-- Every ALTER … OWNER TO.
-- role: ddl_app ddl_other
-- needs: superuser

CREATE SCHEMA app;
CREATE TABLE app.t (id integer GENERATED ALWAYS AS IDENTITY, n serial, a text);
CREATE VIEW app.v AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW app.m AS SELECT 1 AS one;
CREATE SEQUENCE app.s;
CREATE FUNCTION app.f(integer, text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.f("char", text[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE app.p() LANGUAGE sql AS '';
CREATE TYPE app.mood AS ENUM ('good');
CREATE TYPE app.pair AS (a integer, b text);
CREATE DOMAIN app.size AS integer;
CREATE TYPE app.span AS RANGE (subtype = integer);
CREATE TYPE app.shell;
CREATE TABLE app.parts (at date) PARTITION BY RANGE (at);
CREATE TABLE app.part PARTITION OF app.parts DEFAULT;
GRANT SELECT ON app.t TO ddl_other;
ALTER TABLE app.t OWNER TO ddl_app;
-- moves nothing
ALTER TABLE app.t OWNER TO ddl_app;
ALTER TABLE app.t OWNER TO ddl_other;
ALTER TABLE app.t OWNER TO CURRENT_USER;
-- fails
ALTER SEQUENCE app.t_n_seq OWNER TO ddl_app;
-- fails
ALTER SEQUENCE app.t_id_seq OWNER TO ddl_app;
ALTER VIEW app.v OWNER TO ddl_app;
ALTER MATERIALIZED VIEW app.m OWNER TO ddl_app;
ALTER SEQUENCE app.s OWNER TO ddl_app;
ALTER FUNCTION app.f(integer, text) OWNER TO ddl_app;
ALTER FUNCTION app.f("char", text[]) OWNER TO ddl_app;
ALTER ROUTINE app.f(integer, text) OWNER TO ddl_other;
ALTER PROCEDURE app.p() OWNER TO ddl_app;
ALTER TYPE app.mood OWNER TO ddl_app;
ALTER TYPE app.pair OWNER TO ddl_app;
ALTER DOMAIN app.size OWNER TO ddl_app;
ALTER TYPE app.span OWNER TO ddl_app;
ALTER TYPE app.shell OWNER TO ddl_app;
ALTER TABLE app.parts OWNER TO ddl_app;
ALTER TABLE app.part OWNER TO ddl_app;
ALTER SCHEMA app OWNER TO ddl_app;
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer);
ALTER AGGREGATE app.total(integer) OWNER TO ddl_app;
CREATE AGGREGATE app.number(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
ALTER AGGREGATE app.number(*) OWNER TO ddl_app;
CREATE OPERATOR app.### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
ALTER OPERATOR app.### (integer, integer) OWNER TO ddl_app;
CREATE OPERATOR app.!# (RIGHTARG = integer, FUNCTION = int4abs);
ALTER OPERATOR app.!# (NONE, integer) OWNER TO ddl_app;
CREATE OPERATOR FAMILY app.family USING btree;
ALTER OPERATOR FAMILY app.family USING btree OWNER TO ddl_app;
CREATE OPERATOR CLASS app.class FOR TYPE integer USING btree FAMILY app.family AS OPERATOR 1 <, FUNCTION 1 btint4cmp(integer, integer);
ALTER OPERATOR CLASS app.class USING btree OWNER TO ddl_app;
CREATE COLLATION app.german (locale = 'C');
ALTER COLLATION app.german OWNER TO ddl_app;
CREATE CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
ALTER CONVERSION app.conv OWNER TO ddl_app;
CREATE TEXT SEARCH DICTIONARY app.dict (TEMPLATE = simple);
ALTER TEXT SEARCH DICTIONARY app.dict OWNER TO ddl_app;
CREATE TEXT SEARCH CONFIGURATION app.config (PARSER = default);
ALTER TEXT SEARCH CONFIGURATION app.config OWNER TO ddl_app;
CREATE STATISTICS app.both (dependencies) ON id, a FROM app.t;
ALTER STATISTICS app.both OWNER TO ddl_app;
CREATE FOREIGN DATA WRAPPER wrapper;
CREATE SERVER far FOREIGN DATA WRAPPER wrapper;
CREATE FOREIGN TABLE app.far (a integer) SERVER far;
GRANT USAGE ON FOREIGN SERVER far TO ddl_app;
ALTER SERVER far OWNER TO ddl_app;
ALTER FOREIGN TABLE app.far OWNER TO ddl_app;
CREATE PUBLICATION pub;
GRANT CREATE ON SCHEMA app TO ddl_other;
ALTER PUBLICATION pub OWNER TO ddl_app;
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_start EXECUTE FUNCTION app.watch();
-- fails
ALTER EVENT TRIGGER watch OWNER TO ddl_app;
CREATE FUNCTION app.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE TRUSTED LANGUAGE toy HANDLER app.handler;
ALTER LANGUAGE toy OWNER TO ddl_app;
ALTER SCHEMA public OWNER TO ddl_app;
ALTER SCHEMA public OWNER TO CURRENT_USER;
-- since: 15
ALTER SCHEMA public OWNER TO pg_database_owner;
REASSIGN OWNED BY ddl_app TO ddl_other;
DROP SCHEMA app CASCADE;

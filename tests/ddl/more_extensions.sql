-- Extensions and their members, as far as outsiders go with them.
-- role: ddl_app ddl_other
-- needs: superuser hstore citext pg_stat_statements pg_trgm tablefunc postgres_fdw ltree unaccent btree_gist cube earthdistance

CREATE SCHEMA app;
CREATE SCHEMA "Ext 100%";
CREATE EXTENSION hstore WITH SCHEMA "Ext 100%";
-- fails
CREATE EXTENSION hstore;
-- moves nothing
CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA app;
-- fails
CREATE EXTENSION nowhere;
-- fails
CREATE EXTENSION earthdistance;
CREATE EXTENSION earthdistance CASCADE;
-- fails
CREATE EXTENSION earthdistance SCHEMA app CASCADE;
CREATE EXTENSION unaccent;
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gist;
CREATE EXTENSION ltree;
CREATE EXTENSION postgres_fdw;
ALTER EXTENSION hstore SET SCHEMA app;
-- moves nothing
ALTER EXTENSION hstore SET SCHEMA app;
-- fails
ALTER EXTENSION plpgsql SET SCHEMA app;
-- fails
ALTER EXTENSION hstore SET SCHEMA nowhere;
-- moves nothing
ALTER EXTENSION hstore UPDATE;
-- fails
ALTER EXTENSION hstore UPDATE TO '99';
COMMENT ON EXTENSION hstore IS 'Ours.';
COMMENT ON EXTENSION hstore IS NULL;
COMMENT ON EXTENSION hstore IS 'data type for storing sets of (key, value) pairs';
-- Members are the extension's; what a user does to them counts where pg_dump brings it back.
-- moves nothing
COMMENT ON TYPE app.hstore IS 'x';
-- moves nothing
COMMENT ON FUNCTION app.hstore_in(cstring) IS 'x';
-- moves nothing
COMMENT ON OPERATOR app.-> (app.hstore, text) IS 'x';
-- moves nothing
COMMENT ON OPERATOR CLASS app.gin_hstore_ops USING gin IS 'x';
-- moves nothing
COMMENT ON CAST (app.hstore AS json) IS 'x';
-- moves nothing
COMMENT ON TEXT SEARCH DICTIONARY unaccent IS 'x';
-- moves nothing
COMMENT ON FOREIGN DATA WRAPPER postgres_fdw IS 'x';
-- moves nothing
COMMENT ON VIEW pg_stat_statements IS 'x';
-- moves nothing
COMMENT ON COLUMN pg_stat_statements.query IS 'x';
-- moves nothing
ALTER FUNCTION app.hstore_in(cstring) COST 5;
-- moves nothing
ALTER FUNCTION app.hstore_in(cstring) OWNER TO ddl_app;
-- moves nothing
ALTER FUNCTION app.hstore_in(cstring) OWNER TO CURRENT_USER;
-- moves nothing
ALTER TYPE app.hstore OWNER TO ddl_app;
-- moves nothing
ALTER TYPE app.hstore OWNER TO CURRENT_USER;
ALTER VIEW pg_stat_statements OWNER TO ddl_app;
ALTER VIEW pg_stat_statements OWNER TO CURRENT_USER;
-- moves nothing
ALTER OPERATOR app.-> (app.hstore, text) OWNER TO ddl_app;
-- moves nothing
ALTER OPERATOR CLASS app.gin_hstore_ops USING gin OWNER TO ddl_app;
-- moves nothing
ALTER FUNCTION app.hstore_in(cstring) RENAME TO hstore_reads;
-- moves nothing
ALTER FUNCTION app.hstore_reads(cstring) RENAME TO hstore_in;
-- moves nothing
ALTER FUNCTION app.hstore_in(cstring) SET SCHEMA "Ext 100%";
-- fails
ALTER FUNCTION app.hstore_in(cstring) SET work_mem = '1MB';
-- moves nothing
ALTER TEXT SEARCH DICTIONARY unaccent (RULES = 'unaccent');
-- fails
REVOKE EXECUTE ON FUNCTION app.hstore_in(cstring) FROM PUBLIC;
-- fails
GRANT EXECUTE ON FUNCTION app.hstore_in(cstring) TO ddl_app;
-- fails
GRANT EXECUTE ON FUNCTION app.hstore_in(cstring) TO PUBLIC;
-- fails
REVOKE EXECUTE ON FUNCTION app.hstore_in(cstring) FROM ddl_app;
GRANT USAGE ON TYPE app.hstore TO ddl_app;
REVOKE USAGE ON TYPE app.hstore FROM ddl_app;
GRANT SELECT ON pg_stat_statements TO ddl_app;
REVOKE SELECT ON pg_stat_statements FROM PUBLIC;
GRANT SELECT ON pg_stat_statements TO PUBLIC;
REVOKE SELECT ON pg_stat_statements FROM ddl_app;
GRANT SELECT (query) ON pg_stat_statements TO ddl_app;
REVOKE SELECT (query) ON pg_stat_statements FROM ddl_app;
GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO ddl_app;
REVOKE EXECUTE ON FUNCTION pg_stat_statements_reset FROM ddl_app;
GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_stat_statements_reset FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app TO ddl_app;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA app FROM ddl_app;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO ddl_app;
REVOKE USAGE ON FOREIGN DATA WRAPPER postgres_fdw FROM ddl_app;
-- fails
DROP FUNCTION app.hstore_in(cstring);
-- fails
DROP VIEW pg_stat_statements;
CREATE VIEW on_stats AS SELECT query FROM pg_stat_statements;
-- fails
CREATE INDEX ON pg_stat_statements (query);
CREATE TABLE app.t (id integer PRIMARY KEY, h app.hstore, e text);
CREATE INDEX t_h ON app.t USING gin (h);
CREATE INDEX t_e ON app.t USING gin (e gin_trgm_ops);
CREATE FUNCTION app.dep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tg BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.dep();
CREATE MATERIALIZED VIEW app.mv AS SELECT 1 AS one;
CREATE PROCEDURE app.proc() LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION app.dep() DEPENDS ON EXTENSION hstore;
-- moves nothing
ALTER FUNCTION app.dep() DEPENDS ON EXTENSION hstore;
ALTER FUNCTION app.dep() DEPENDS ON EXTENSION ltree;
ALTER PROCEDURE app.proc() DEPENDS ON EXTENSION hstore;
ALTER TRIGGER tg ON app.t DEPENDS ON EXTENSION ltree;
ALTER MATERIALIZED VIEW app.mv DEPENDS ON EXTENSION ltree;
ALTER INDEX app.t_e DEPENDS ON EXTENSION ltree;
ALTER FUNCTION app.dep() NO DEPENDS ON EXTENSION hstore;
-- moves nothing
ALTER FUNCTION app.dep() NO DEPENDS ON EXTENSION hstore;
DROP EXTENSION ltree;
-- A table that becomes an extension's, and what stands on it.
CREATE TABLE app.conf (id integer PRIMARY KEY, s serial, e text CHECK (e <> ''), n integer NOT NULL DEFAULT 5);
CREATE INDEX conf_e ON app.conf (e);
CREATE STATISTICS app.conf_st ON id, n FROM app.conf;
CREATE RULE conf_r AS ON DELETE TO app.conf DO INSTEAD NOTHING;
GRANT SELECT ON app.conf TO ddl_app;
ALTER EXTENSION hstore ADD TABLE app.conf;
-- moves nothing
COMMENT ON TABLE app.conf IS 'x';
-- moves nothing
COMMENT ON COLUMN app.conf.e IS 'x';
-- moves nothing
COMMENT ON CONSTRAINT conf_e_check ON app.conf IS 'x';
-- moves nothing
COMMENT ON CONSTRAINT conf_pkey ON app.conf IS 'x';
-- moves nothing
COMMENT ON INDEX app.conf_e IS 'x';
-- moves nothing
COMMENT ON RULE conf_r ON app.conf IS 'x';
-- moves nothing
COMMENT ON STATISTICS app.conf_st IS 'x';
COMMENT ON SEQUENCE app.conf_s_seq IS 'x';
GRANT INSERT ON app.conf TO ddl_app;
GRANT UPDATE (e) ON app.conf TO ddl_app;
GRANT USAGE ON SEQUENCE app.conf_s_seq TO ddl_app;
REVOKE SELECT ON app.conf FROM ddl_app;
-- moves nothing
ALTER TABLE app.conf ADD COLUMN z integer;
-- moves nothing
ALTER TABLE app.conf ADD CONSTRAINT z_check CHECK (z > 0);
-- moves nothing
ALTER TABLE app.conf ADD UNIQUE (z);
-- moves nothing
CREATE INDEX conf_z ON app.conf (z);
-- moves nothing
DROP INDEX app.conf_e;
-- moves nothing
CREATE STATISTICS app.conf_st2 ON n, z FROM app.conf;
-- moves nothing
CREATE RULE conf_r2 AS ON UPDATE TO app.conf DO ALSO NOTHING;
-- fails
CREATE TRIGGER conf_tg BEFORE INSERT ON app.conf FOR EACH ROW EXECUTE FUNCTION app.dep();
-- fails
COMMENT ON TRIGGER conf_tg ON app.conf IS 'x';
-- moves nothing
ALTER TABLE app.conf ENABLE ROW LEVEL SECURITY;
-- sees more
CREATE POLICY conf_p ON app.conf USING (true);
-- moves nothing
COMMENT ON POLICY conf_p ON app.conf IS 'x';
-- moves nothing
ALTER TABLE app.conf REPLICA IDENTITY FULL;
ALTER TABLE app.conf OWNER TO ddl_app;
CREATE TABLE app.conf_child (id integer) INHERITS (app.conf);
CREATE TABLE app.refers (id integer REFERENCES app.conf);
CREATE PUBLICATION pub FOR TABLE app.conf, app.t;
ALTER EXTENSION hstore DROP TABLE app.conf;
-- fails
ALTER EXTENSION hstore ADD SERIAL app.conf;
CREATE SCHEMA owned;
ALTER EXTENSION hstore ADD SCHEMA owned;
CREATE TABLE owned.inside (id integer);
COMMENT ON TABLE owned.inside IS 'x';
-- moves nothing
COMMENT ON SCHEMA owned IS 'x';
GRANT USAGE ON SCHEMA owned TO ddl_app;
GRANT SELECT ON owned.inside TO ddl_app;
CREATE TYPE owned.mood AS ENUM ('a');
CREATE FUNCTION owned.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER DEFAULT PRIVILEGES IN SCHEMA owned GRANT SELECT ON TABLES TO ddl_app;
ALTER PUBLICATION pub ADD TABLE owned.inside;
ALTER SCHEMA owned OWNER TO ddl_app;
ALTER EXTENSION hstore DROP SCHEMA owned;
CREATE SERVER srv FOREIGN DATA WRAPPER postgres_fdw;
ALTER EXTENSION hstore ADD SERVER srv;
-- moves nothing
CREATE USER MAPPING FOR ddl_app SERVER srv OPTIONS (user 'x');
CREATE FOREIGN TABLE app.ft (id integer) SERVER srv;
ALTER EXTENSION hstore DROP SERVER srv;
-- Its options may be secrets: no SQL of healthd creates them again.
DROP USER MAPPING FOR ddl_app SERVER srv;
ALTER EXTENSION hstore ADD PROCEDURE app.proc();
ALTER EXTENSION hstore DROP ROUTINE app.proc();
ALTER EXTENSION hstore ADD FOREIGN TABLE app.ft;
-- moves nothing
COMMENT ON FOREIGN TABLE app.ft IS 'x';
ALTER EXTENSION hstore DROP FOREIGN TABLE app.ft;
-- fails
ALTER EXTENSION hstore ADD MATERIALIZED VIEW app.mv;
-- fails
ALTER EXTENSION hstore DROP MATERIALIZED VIEW app.mv;
CREATE FUNCTION app.ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER ev ON sql_drop EXECUTE FUNCTION app.ev();
COMMENT ON EVENT TRIGGER ev IS 'x';
ALTER EXTENSION hstore ADD EVENT TRIGGER ev;
-- moves nothing
ALTER EVENT TRIGGER ev DISABLE;
-- moves nothing
COMMENT ON EVENT TRIGGER ev IS 'y';
ALTER EXTENSION hstore DROP EVENT TRIGGER ev;
CREATE DOMAIN app.dom AS integer CHECK (VALUE > 0);
ALTER EXTENSION hstore ADD DOMAIN app.dom;
-- moves nothing
COMMENT ON CONSTRAINT dom_check ON DOMAIN app.dom IS 'x';
-- moves nothing
ALTER DOMAIN app.dom ADD CONSTRAINT small CHECK (VALUE < 9);
ALTER EXTENSION hstore DROP DOMAIN app.dom;
CREATE TYPE app.comp AS (a integer);
ALTER EXTENSION hstore ADD TYPE app.comp;
-- moves nothing
COMMENT ON COLUMN app.comp.a IS 'x';
-- moves nothing
ALTER TYPE app.comp ADD ATTRIBUTE b text;
CREATE TABLE app.of_comp OF app.comp;
ALTER EXTENSION hstore DROP TYPE app.comp;
CREATE TYPE app.rng AS RANGE (SUBTYPE = integer);
ALTER EXTENSION hstore ADD TYPE app.rng;
-- moves nothing
COMMENT ON TYPE app.rng IS 'x';
ALTER EXTENSION hstore DROP TYPE app.rng;
CREATE LANGUAGE lang HANDLER plpgsql_call_handler;
ALTER EXTENSION hstore ADD LANGUAGE lang;
-- fails
GRANT USAGE ON LANGUAGE lang TO ddl_app;
ALTER EXTENSION hstore DROP LANGUAGE lang;
DROP LANGUAGE lang;
-- fails
ALTER EXTENSION hstore ADD TABLE app.nowhere;
-- fails
ALTER EXTENSION hstore DROP TABLE app.t;
-- fails
ALTER EXTENSION hstore ADD TRIGGER tg;
-- fails
ALTER EXTENSION hstore ADD EXTENSION unaccent;
CREATE FUNCTION app.granted() RETURNS integer LANGUAGE sql AS 'SELECT 1';
GRANT EXECUTE ON FUNCTION app.granted() TO ddl_app;
ALTER EXTENSION hstore ADD FUNCTION app.granted();
GRANT EXECUTE ON FUNCTION app.granted() TO ddl_other;
REVOKE EXECUTE ON FUNCTION app.granted() FROM ddl_app;
-- moves nothing
CREATE OR REPLACE FUNCTION app.granted() RETURNS integer LANGUAGE sql AS 'SELECT 2';
ALTER EXTENSION hstore DROP FUNCTION app.granted();
DROP EXTENSION unaccent, btree_gist;
DROP EXTENSION pg_trgm;
-- fails
DROP EXTENSION pg_trgm CASCADE;
-- fails
DROP EXTENSION ltree;
-- fails
DROP EXTENSION ltree CASCADE;
-- moves nothing
DROP EXTENSION IF EXISTS ltree;
-- fails
DROP EXTENSION plpgsql;
DROP EXTENSION hstore CASCADE;
-- fails
DROP OWNED BY ddl_app, ddl_other;

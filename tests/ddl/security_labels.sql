-- Security labels. No provider comes with PostgreSQL: what SECURITY LABEL does is written by hand.
-- needs: superuser
-- restore: no, the provider is not there

CREATE SCHEMA app;
CREATE TABLE app.t (id integer, "B c" text);
CREATE VIEW app.v AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW app.m AS SELECT 1 AS one;
CREATE SEQUENCE app.s;
CREATE FUNCTION app.f(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE app.p() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE app.agg(integer) (SFUNC = int4pl, STYPE = integer);
CREATE TYPE app.mood AS ENUM ('a');
CREATE TYPE app.pair AS (a integer);
CREATE DOMAIN app.size AS integer;
CREATE TYPE app.span AS RANGE (SUBTYPE = integer);
CREATE LANGUAGE lang HANDLER plpgsql_call_handler;
CREATE PUBLICATION pub;
CREATE FUNCTION app.ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER ev ON sql_drop EXECUTE FUNCTION app.ev();
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER srv FOREIGN DATA WRAPPER w;
CREATE FOREIGN TABLE app.ft (a integer) SERVER srv;
CREATE SUBSCRIPTION sub CONNECTION 'dbname=x' PUBLICATION pub WITH (connect = false, slot_name = NONE);
-- fails
SECURITY LABEL ON TABLE app.t IS 'secret';
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.t'::regclass, 'pg_class'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.t'::regclass, 'pg_class'::regclass, 0, 'another one', 'it''s "secret" 100%');
UPDATE pg_catalog.pg_seclabel SET label = 'open' WHERE provider = 'provider';
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.t'::regclass, 'pg_class'::regclass, 2, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.v'::regclass, 'pg_class'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.v'::regclass, 'pg_class'::regclass, 1, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.m'::regclass, 'pg_class'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.s'::regclass, 'pg_class'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.ft'::regclass, 'pg_class'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.ft'::regclass, 'pg_class'::regclass, 1, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.f'::regproc, 'pg_proc'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.p'::regproc, 'pg_proc'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.agg'::regproc, 'pg_proc'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.mood'::regtype, 'pg_type'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.pair'::regtype, 'pg_type'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.size'::regtype, 'pg_type'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app.span'::regtype, 'pg_type'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel VALUES ('app'::regnamespace, 'pg_namespace'::regclass, 0, 'provider', 'secret');
INSERT INTO pg_catalog.pg_seclabel SELECT oid, 'pg_language'::regclass, 0, 'provider', 'secret' FROM pg_language WHERE lanname = 'lang';
INSERT INTO pg_catalog.pg_seclabel SELECT oid, 'pg_publication'::regclass, 0, 'provider', 'secret' FROM pg_publication;
INSERT INTO pg_catalog.pg_seclabel SELECT oid, 'pg_event_trigger'::regclass, 0, 'provider', 'secret' FROM pg_event_trigger;
INSERT INTO pg_catalog.pg_seclabel VALUES ('public'::regnamespace, 'pg_namespace'::regclass, 0, 'provider', 'secret');
-- moves nothing
INSERT INTO pg_catalog.pg_seclabel VALUES ('pg_catalog.pg_class'::regclass, 'pg_class'::regclass, 0, 'provider', 'secret');
-- moves nothing
INSERT INTO pg_catalog.pg_seclabel VALUES ('pg_catalog.now'::regproc, 'pg_proc'::regclass, 0, 'provider', 'secret');
-- moves nothing
INSERT INTO pg_catalog.pg_seclabel SELECT oid, 'pg_language'::regclass, 0, 'provider', 'secret' FROM pg_language WHERE lanname = 'plpgsql';
-- moves nothing
INSERT INTO pg_catalog.pg_seclabel VALUES ('pg_catalog.plpgsql_validator'::regproc, 'pg_proc'::regclass, 0, 'provider', 'secret');
-- moves nothing
INSERT INTO pg_catalog.pg_shseclabel SELECT oid, 'pg_authid'::regclass, 'provider', 'secret' FROM pg_authid WHERE rolname = current_user;
-- moves nothing
DELETE FROM pg_catalog.pg_shseclabel;
-- moves nothing
INSERT INTO pg_catalog.pg_seclabel VALUES (4713, 'pg_largeobject'::regclass, 0, 'provider', 'secret');
ALTER TABLE app.t RENAME COLUMN "B c" TO b;
ALTER TABLE app.t DROP COLUMN b;
DELETE FROM pg_catalog.pg_seclabel WHERE provider = 'another one';
DROP SUBSCRIPTION sub;
DROP TABLE app.t;
DROP SCHEMA app CASCADE;

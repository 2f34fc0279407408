-- needs: hstore citext

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE EXTENSION hstore;
-- moves nothing
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION citext WITH SCHEMA app VERSION '1.5';
-- sees more
ALTER EXTENSION citext UPDATE TO '1.6';
-- moves nothing
ALTER EXTENSION citext UPDATE TO '1.6';
ALTER EXTENSION hstore SET SCHEMA other;
CREATE TABLE app.settings (name app.citext, given other.hstore DEFAULT 'a=>1');
CREATE TYPE app.kind AS ENUM ('a');
CREATE FUNCTION app.one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TABLE app.known (id integer);
CREATE VIEW app.few AS SELECT 1 AS one;
CREATE SEQUENCE app.numbers;
CREATE DOMAIN app.size AS integer CHECK (VALUE > 0);
CREATE TYPE app.pair AS (a integer);
CREATE OPERATOR app.### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
CREATE CAST (text AS app.kind) WITH INOUT;
CREATE AGGREGATE app.total (integer) (SFUNC = int4pl, STYPE = integer);
CREATE COLLATION app.plain (locale = 'C');
CREATE TEXT SEARCH CONFIGURATION app.words (COPY = pg_catalog.simple);
CREATE OPERATOR FAMILY app.family USING btree;
CREATE ACCESS METHOD tree TYPE INDEX HANDLER bthandler;
CREATE SCHEMA mine;
ALTER EXTENSION hstore ADD TYPE app.kind;
ALTER EXTENSION hstore DROP TYPE app.kind;
ALTER EXTENSION hstore ADD FUNCTION app.one();
ALTER EXTENSION hstore DROP FUNCTION app.one();
ALTER EXTENSION hstore ADD VIEW app.few;
ALTER EXTENSION hstore DROP VIEW app.few;
ALTER EXTENSION hstore ADD SEQUENCE app.numbers;
ALTER EXTENSION hstore DROP SEQUENCE app.numbers;
ALTER EXTENSION hstore ADD DOMAIN app.size;
ALTER EXTENSION hstore DROP DOMAIN app.size;
ALTER EXTENSION hstore ADD TYPE app.pair;
ALTER EXTENSION hstore DROP TYPE app.pair;
ALTER EXTENSION hstore ADD OPERATOR app.### (integer, integer);
ALTER EXTENSION hstore DROP OPERATOR app.### (integer, integer);
ALTER EXTENSION hstore ADD CAST (text AS app.kind);
ALTER EXTENSION hstore DROP CAST (text AS app.kind);
ALTER EXTENSION hstore ADD AGGREGATE app.total (integer);
ALTER EXTENSION hstore DROP AGGREGATE app.total (integer);
ALTER EXTENSION hstore ADD COLLATION app.plain;
ALTER EXTENSION hstore DROP COLLATION app.plain;
ALTER EXTENSION hstore ADD TEXT SEARCH CONFIGURATION app.words;
ALTER EXTENSION hstore DROP TEXT SEARCH CONFIGURATION app.words;
ALTER EXTENSION hstore ADD OPERATOR FAMILY app.family USING btree;
ALTER EXTENSION hstore DROP OPERATOR FAMILY app.family USING btree;
ALTER EXTENSION hstore ADD ACCESS METHOD tree;
ALTER EXTENSION hstore DROP ACCESS METHOD tree;
ALTER EXTENSION hstore ADD SCHEMA mine;
ALTER EXTENSION hstore DROP SCHEMA mine;
ALTER EXTENSION hstore ADD TABLE app.known;
ALTER EXTENSION hstore DROP TABLE app.known;
-- fails
DROP EXTENSION hstore;
DROP EXTENSION hstore CASCADE;
-- moves nothing
DROP EXTENSION IF EXISTS hstore;
DROP EXTENSION citext CASCADE;

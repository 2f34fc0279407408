CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TYPE app.nothing AS ();
CREATE TYPE app.pair AS (a integer, b text COLLATE "C", "Quo""ted" varchar(10)[], d numeric(10, 2));
ALTER TYPE app.pair ADD ATTRIBUTE e timestamptz(3);
ALTER TYPE app.pair ADD ATTRIBUTE f text COLLATE "C" CASCADE;
ALTER TYPE app.pair RENAME ATTRIBUTE e TO moment;
ALTER TYPE app.pair RENAME ATTRIBUTE a TO first CASCADE;
ALTER TYPE app.pair ALTER ATTRIBUTE first TYPE bigint;
ALTER TYPE app.pair ALTER ATTRIBUTE b SET DATA TYPE varchar(5) COLLATE "POSIX" CASCADE;
ALTER TYPE app.pair ALTER ATTRIBUTE d TYPE numeric(11, 2) RESTRICT;
ALTER TYPE app.pair DROP ATTRIBUTE moment;
-- moves nothing
ALTER TYPE app.pair DROP ATTRIBUTE IF EXISTS moment;
ALTER TYPE app.pair DROP ATTRIBUTE f CASCADE;
ALTER TYPE app.pair ADD ATTRIBUTE x integer, DROP ATTRIBUTE d, ALTER ATTRIBUTE first TYPE integer;
-- The same attributes in another order.
ALTER TYPE app.pair DROP ATTRIBUTE b, ADD ATTRIBUTE b varchar(5) COLLATE "POSIX";
CREATE TYPE app.outer AS (inner_pair app.pair, pairs app.pair[]);
CREATE TABLE app.typed OF app.pair;
ALTER TYPE app.pair ADD ATTRIBUTE y integer CASCADE;
-- fails
ALTER TYPE app.pair ADD ATTRIBUTE z integer;
CREATE TABLE app.used (p app.pair DEFAULT ROW (1, NULL, 2, NULL, 3));
ALTER TYPE app.pair RENAME TO double;
ALTER TYPE app.double SET SCHEMA other;
-- moves nothing
INSERT INTO app.used DEFAULT VALUES;
-- moves nothing
CREATE TYPE pg_temp.passing AS (a integer);
-- moves nothing
ALTER TYPE pg_temp.passing ADD ATTRIBUTE b integer;
-- fails
DROP TYPE other.double;
DROP TYPE other.double CASCADE;
DROP TYPE app.nothing;
DROP TYPE IF EXISTS app.outer CASCADE;

-- needs: superuser

CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TYPE app.pair AS (a integer, b integer);
CREATE DOMAIN app.size AS integer;
CREATE FUNCTION app.weight(app.mood) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.padded(app.pair, integer, boolean) RETURNS text LANGUAGE sql AS 'SELECT ''x''::text';
CREATE CAST (app.mood AS integer) WITH FUNCTION app.weight(app.mood);
DROP CAST (app.mood AS integer);
CREATE CAST (app.mood AS integer) WITH FUNCTION app.weight(app.mood) AS ASSIGNMENT;
DROP CAST IF EXISTS (app.mood AS integer) CASCADE;
-- moves nothing
DROP CAST IF EXISTS (app.mood AS integer);
CREATE CAST (app.mood AS integer) WITH FUNCTION app.weight(app.mood) AS IMPLICIT;
CREATE CAST (app.pair AS text) WITH FUNCTION app.padded(app.pair, integer, boolean);
CREATE CAST (varchar AS app.mood) WITH INOUT AS ASSIGNMENT;
CREATE CAST (text AS app.mood) WITH INOUT;
-- Between types of the server, by a function of the server.
CREATE CAST (bigint AS timestamp with time zone) WITHOUT FUNCTION;
CREATE CAST (smallint AS numeric[]) WITH INOUT;
CREATE CAST (double precision AS "char") WITH INOUT AS IMPLICIT;
CREATE CAST (box AS line) WITH INOUT;
ALTER FUNCTION app.weight(app.mood) RENAME TO heaviness;
ALTER TYPE app.mood RENAME TO temper;
CREATE TYPE app.spans AS RANGE (SUBTYPE = integer);
CREATE CAST (app.spans AS text) WITH INOUT;
-- moves nothing
UPDATE pg_catalog.pg_cast SET castcontext = castcontext WHERE castsource = 'integer'::regtype;
DROP FUNCTION app.heaviness(app.temper) CASCADE;
DROP TYPE app.temper CASCADE;
DROP CAST (double precision AS "char");
DROP SCHEMA app CASCADE;
-- As old applications have them: nothing that asks the catalogs may trip over what becomes ambiguous by them.
CREATE CAST (integer AS text) WITH INOUT AS IMPLICIT;
CREATE CAST (smallint AS text) WITH INOUT AS IMPLICIT;
CREATE CAST (oid AS text) WITH INOUT AS IMPLICIT;
CREATE CAST (regclass AS text) WITH INOUT AS IMPLICIT;
CREATE CAST (regtype AS text) WITH INOUT AS IMPLICIT;
CREATE SCHEMA old;
CREATE TABLE old.counted (id integer PRIMARY KEY, name text CHECK (name <> ''));
CREATE INDEX counted_index ON old.counted ((id + 1));
ALTER INDEX old.counted_index ALTER COLUMN 1 SET STATISTICS 500;

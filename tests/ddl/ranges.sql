CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TYPE app.floatrange AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE TYPE app.textual AS RANGE (SUBTYPE = text, COLLATION = "C");
CREATE TYPE app.words AS RANGE (SUBTYPE = text, SUBTYPE_OPCLASS = text_pattern_ops);
CREATE TYPE app.short AS RANGE (SUBTYPE = varchar);
-- since: 14
CREATE TYPE app.named AS RANGE (SUBTYPE = integer, MULTIRANGE_TYPE_NAME = app.many);
-- since: 14
CREATE TYPE app.other_named AS RANGE (SUBTYPE = integer, MULTIRANGE_TYPE_NAME = other.many_more);
-- since: 14
ALTER TYPE app.many RENAME TO several;
-- since: 14
ALTER TYPE app.several SET SCHEMA other;
-- since: 14
ALTER TYPE app.floatmultirange RENAME TO floats;
-- since: 14
ALTER TYPE app.floats RENAME TO floatmultirange;
CREATE TYPE app.canonical;
CREATE FUNCTION app.narrow(app.canonical) RETURNS app.canonical LANGUAGE internal IMMUTABLE AS 'int4range_canonical';
CREATE TYPE app.canonical AS RANGE (SUBTYPE = integer, CANONICAL = app.narrow);
CREATE FUNCTION app.apart(float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';
CREATE TYPE app.far AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = app.apart);
ALTER FUNCTION app.apart(float8, float8) RENAME TO between;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TYPE app.moods AS RANGE (SUBTYPE = app.mood);
ALTER TYPE app.mood RENAME TO temper;
CREATE TABLE app.used (r app.floatrange, t app.textual DEFAULT '[a,b]');
-- since: 14
ALTER TABLE app.used ADD COLUMN m app.floatmultirange;
ALTER TYPE app.floatrange RENAME TO float_range;
ALTER TYPE app.float_range SET SCHEMA other;
-- moves nothing
CREATE TYPE pg_temp.passing AS RANGE (SUBTYPE = integer);
-- fails
DROP TYPE app.textual;
DROP TYPE app.textual CASCADE;
DROP TYPE app.short;
DROP SCHEMA other CASCADE;

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TYPE app.nothing AS ENUM ();
CREATE TYPE app."Quo""ted" AS ENUM ('it''s', '', 'new
line', '100%', 'Größe', '🛠️');
ALTER TYPE app.mood ADD VALUE 'fine';
ALTER TYPE app.mood ADD VALUE 'best' BEFORE 'good';
ALTER TYPE app.mood ADD VALUE 'better' AFTER 'best';
-- moves nothing
ALTER TYPE app.mood ADD VALUE IF NOT EXISTS 'better' BEFORE 'best';
ALTER TYPE app.mood ADD VALUE IF NOT EXISTS 'worst' AFTER 'bad';
-- fails
ALTER TYPE app.mood ADD VALUE 'fine';
ALTER TYPE app.mood RENAME VALUE 'bad' TO 'BAD';
-- fails
ALTER TYPE app.mood RENAME VALUE 'bad' TO 'worse';
ALTER TYPE app.nothing ADD VALUE 'something';
ALTER TYPE app.nothing RENAME TO something;
ALTER TYPE app.something SET SCHEMA other;
-- The array type is named after it, and steps aside for another type of that name.
CREATE TYPE app._mood AS ENUM ('array');
ALTER TYPE app.mood RENAME TO temper;
ALTER TYPE app.temper RENAME TO mood;
CREATE TABLE app.people (mood app.mood DEFAULT 'good', moods app.mood[] DEFAULT '{good,BAD}');
ALTER TYPE app.mood RENAME VALUE 'good' TO 'GOOD';
-- moves nothing
INSERT INTO app.people VALUES ('BAD');
-- moves nothing
CREATE TYPE pg_temp.passing AS ENUM ('a');
-- moves nothing
ALTER TYPE pg_temp.passing ADD VALUE 'b';
-- fails
DROP TYPE app.mood;
DROP TYPE app.mood CASCADE;
-- moves nothing
DROP TYPE IF EXISTS app.mood;
DROP TYPE other.something, app."Quo""ted" RESTRICT;
DROP SCHEMA app CASCADE;

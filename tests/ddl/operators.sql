CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE FUNCTION app.near(app.mood, app.mood) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION app.odd(app.mood) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR app.### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
CREATE OPERATOR app.@# (RIGHTARG = integer, PROCEDURE = int4abs);
-- until: 13
CREATE OPERATOR app.#@ (LEFTARG = integer, PROCEDURE = int4abs);
-- Its commutator and its negator are promised, and made after it.
CREATE OPERATOR app.<=> (LEFTARG = app.mood, RIGHTARG = app.mood, FUNCTION = app.near,
    COMMUTATOR = OPERATOR(app.<=>), NEGATOR = OPERATOR(app.<!>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR app.<!> (LEFTARG = app.mood, RIGHTARG = app.mood, FUNCTION = app.near,
    COMMUTATOR = OPERATOR(app.<!>), NEGATOR = OPERATOR(app.<=>));
CREATE FUNCTION app.later(app.mood, integer) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION app.sooner(integer, app.mood) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR app.<# (LEFTARG = app.mood, RIGHTARG = integer, FUNCTION = app.later, COMMUTATOR = OPERATOR(other.#>));
CREATE OPERATOR other.#> (LEFTARG = integer, RIGHTARG = app.mood, FUNCTION = app.sooner);
-- The same sign for other operands.
CREATE OPERATOR app.### (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
CREATE FUNCTION app.since(integer[], timestamp with time zone) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR app.### (LEFTARG = integer[], RIGHTARG = timestamp with time zone, FUNCTION = app.since);
ALTER OPERATOR app.### (text, text) SET (RESTRICT = contsel);
ALTER OPERATOR app.### (text, text) SET (JOIN = contjoinsel);
ALTER OPERATOR app.### (text, text) SET (RESTRICT = NONE, JOIN = NONE);
-- moves nothing
ALTER OPERATOR app.### (text, text) SET (JOIN = NONE);
-- since: 17
ALTER OPERATOR app.### (integer, integer) SET (COMMUTATOR = OPERATOR(app.###));
-- since: 17
CREATE OPERATOR app.=== (LEFTARG = app.mood, RIGHTARG = app.mood, FUNCTION = app.near);
-- since: 17
CREATE OPERATOR app.!== (LEFTARG = app.mood, RIGHTARG = app.mood, FUNCTION = app.near);
-- since: 17
ALTER OPERATOR app.=== (app.mood, app.mood) SET (NEGATOR = OPERATOR(app.!==));
-- since: 17
ALTER OPERATOR app.=== (app.mood, app.mood) SET (HASHES, MERGES);
ALTER OPERATOR app.### (integer, integer) SET SCHEMA other;
ALTER FUNCTION app.near(app.mood, app.mood) RENAME TO close;
ALTER TYPE app.mood RENAME TO temper;
ALTER OPERATOR app.@# (NONE, integer) SET SCHEMA other;
DROP OPERATOR other.@# (NONE, integer);
-- until: 13
DROP OPERATOR app.#@ (integer, NONE);
DROP OPERATOR other.### (integer, integer), app.### (text, text);
-- moves nothing
DROP OPERATOR IF EXISTS app.### (text, text);
DROP OPERATOR app.<=> (app.temper, app.temper) CASCADE;
DROP FUNCTION app.close CASCADE;
DROP TYPE app.temper CASCADE;

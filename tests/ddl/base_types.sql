-- needs: superuser

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TYPE app.shell;
DROP TYPE app.shell;
CREATE TYPE app.number;
-- Functions make the shell of a type that they return.
CREATE FUNCTION app.number_in(cstring) RETURNS app.number LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION app.number_out(app.number) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE FUNCTION app.number_recv(internal) RETURNS app.number LANGUAGE internal IMMUTABLE STRICT AS 'int4recv';
CREATE FUNCTION app.number_send(app.number) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'int4send';
CREATE TYPE app.number (INPUT = app.number_in, OUTPUT = app.number_out, RECEIVE = app.number_recv,
    SEND = app.number_send, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT = int4, STORAGE = plain,
    CATEGORY = 'N', PREFERRED = true, DEFAULT = 5, DELIMITER = ';');
CREATE TYPE app.copied;
CREATE FUNCTION app.copied_in(cstring) RETURNS app.copied LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION app.copied_out(app.copied) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE app.copied (INPUT = app.copied_in, OUTPUT = app.copied_out, LIKE = integer);
CREATE TYPE app.words;
CREATE FUNCTION app.words_in(cstring) RETURNS app.words LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION app.words_out(app.words) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE FUNCTION app.words_recv(internal) RETURNS app.words LANGUAGE internal STABLE STRICT AS 'textrecv';
CREATE FUNCTION app.words_send(app.words) RETURNS bytea LANGUAGE internal STABLE STRICT AS 'textsend';
CREATE TYPE app.words (INPUT = app.words_in, OUTPUT = app.words_out, INTERNALLENGTH = VARIABLE, STORAGE = extended,
    COLLATABLE = true, DEFAULT = 'it''s');
ALTER TYPE app.words SET (RECEIVE = app.words_recv);
ALTER TYPE app.words SET (SEND = app.words_send, ANALYZE = pg_catalog.array_typanalyze);
ALTER TYPE app.words SET (TYPMOD_IN = varchartypmodin);
ALTER TYPE app.words SET (TYPMOD_OUT = varchartypmodout);
ALTER TYPE app.words SET (STORAGE = main);
ALTER TYPE app.words SET (STORAGE = external);
-- fails
ALTER TYPE app.words SET (STORAGE = plain);
ALTER TYPE app.words SET (RECEIVE = NONE, SEND = NONE, TYPMOD_IN = NONE, TYPMOD_OUT = NONE, ANALYZE = NONE);
-- since: 14
ALTER TYPE app.words SET (SUBSCRIPT = raw_array_subscript_handler);
-- since: 14
ALTER TYPE app.words SET (SUBSCRIPT = NONE);
CREATE TYPE app.point3;
CREATE FUNCTION app.point3_in(cstring) RETURNS app.point3 LANGUAGE internal IMMUTABLE STRICT AS 'point_in';
CREATE FUNCTION app.point3_out(app.point3) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'point_out';
CREATE TYPE app.point3 (INPUT = app.point3_in, OUTPUT = app.point3_out, INTERNALLENGTH = 16, ALIGNMENT = double,
    ELEMENT = float8);
CREATE TABLE app.used (n app.number DEFAULT '7', w app.words COLLATE "C", ns app.number[]);
ALTER FUNCTION app.number_in(cstring) RENAME TO number_read;
ALTER FUNCTION app.number_out(app.number) SET SCHEMA other;
ALTER TYPE app.number RENAME TO counted;
ALTER TYPE app.counted SET SCHEMA other;
-- fails
DROP TYPE other.counted;
DROP TYPE other.counted CASCADE;
DROP TYPE IF EXISTS app.words, app.copied CASCADE;
DROP SCHEMA app CASCADE;

-- Functions and procedures: every form of CREATE, ALTER and DROP.
-- needs: superuser

CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE FUNCTION f(a integer, b text DEFAULT 'x') RETURNS integer LANGUAGE sql AS 'SELECT a';
CREATE OR REPLACE FUNCTION f(a integer, b text DEFAULT 'x') RETURNS integer LANGUAGE sql AS 'SELECT a + 1';
-- moves nothing
CREATE OR REPLACE FUNCTION f(a integer, b text DEFAULT 'x'::text) RETURNS int LANGUAGE sql AS 'SELECT a + 1';
CREATE OR REPLACE FUNCTION f(a integer, b text DEFAULT 'y') RETURNS integer LANGUAGE sql AS 'SELECT a + 1';
CREATE OR REPLACE FUNCTION f(a integer, b text DEFAULT 'y') RETURNS integer LANGUAGE sql AS 'SELECT  a + 1';
-- fails
CREATE OR REPLACE FUNCTION f(c integer, b text DEFAULT 'y') RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- fails
CREATE OR REPLACE FUNCTION f(a integer, b text DEFAULT 'y') RETURNS text LANGUAGE sql AS 'SELECT ''''';
CREATE FUNCTION f(a bigint) RETURNS bigint LANGUAGE sql AS 'SELECT a';
CREATE OR REPLACE FUNCTION f(a integer, b text DEFAULT 'y') RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN a; END';
CREATE FUNCTION tabled() RETURNS TABLE (x integer, y text) LANGUAGE sql ROWS 50 AS 'SELECT 1, ''x''::text';
CREATE FUNCTION many() RETURNS SETOF integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION outs(IN a integer, OUT b integer, INOUT c text) LANGUAGE sql AS 'SELECT a, c';
CREATE FUNCTION variable(VARIADIC integer[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION of_mood(m app.mood DEFAULT 'good') RETURNS app.mood LANGUAGE sql AS 'SELECT m';
CREATE FUNCTION nothing() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION "Quo""ted (x)"("A b" integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION windowed() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
CREATE FUNCTION inner_one(integer) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int4abs';
-- since: 14
CREATE FUNCTION atomic(a integer) RETURNS integer LANGUAGE sql RETURN a + 1;
-- since: 14
CREATE OR REPLACE FUNCTION atomic(a integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC; SELECT a + 2; END;
-- since: 14
CREATE OR REPLACE FUNCTION atomic(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a + 2';

ALTER FUNCTION f(bigint) IMMUTABLE;
ALTER FUNCTION f(bigint) STABLE;
ALTER FUNCTION f(bigint) VOLATILE;
-- moves nothing
ALTER FUNCTION f(bigint) VOLATILE;
ALTER FUNCTION f(bigint) STRICT;
ALTER FUNCTION f(bigint) CALLED ON NULL INPUT;
ALTER FUNCTION f(bigint) RETURNS NULL ON NULL INPUT;
ALTER FUNCTION f(bigint) SECURITY DEFINER;
ALTER FUNCTION f(bigint) SECURITY INVOKER;
ALTER FUNCTION f(bigint) LEAKPROOF;
ALTER FUNCTION f(bigint) NOT LEAKPROOF;
ALTER FUNCTION f(bigint) PARALLEL SAFE;
ALTER FUNCTION f(bigint) PARALLEL RESTRICTED;
ALTER FUNCTION f(bigint) PARALLEL UNSAFE;
ALTER FUNCTION f(bigint) COST 5;
ALTER FUNCTION f(bigint) COST 0.25;
ALTER FUNCTION f(bigint) COST 100;
ALTER FUNCTION many() ROWS 7;
ALTER FUNCTION many() ROWS 1000;
ALTER FUNCTION many() SUPPORT generate_series_int4_support;
ALTER FUNCTION f(bigint) SET search_path = app, public;
ALTER FUNCTION f(bigint) SET search_path = '';
ALTER FUNCTION f(bigint) SET search_path TO app, "$user", 'Weird, name';
ALTER FUNCTION f(bigint) SET work_mem = '64MB';
ALTER FUNCTION f(bigint) SET my.setting = 'it''s';
ALTER FUNCTION f(bigint) SET DateStyle TO 'ISO, DMY';
ALTER FUNCTION f(bigint) SET work_mem FROM CURRENT;
ALTER FUNCTION f(bigint) RESET work_mem;
-- moves nothing
ALTER FUNCTION f(bigint) RESET work_mem;
ALTER FUNCTION f(bigint) RESET ALL;
ALTER FUNCTION f(bigint) STABLE STRICT COST 3 SET search_path = app;
ALTER FUNCTION f(bigint) RENAME TO g;
ALTER FUNCTION g(bigint) SET SCHEMA app;
ALTER FUNCTION app.g DEPENDS ON EXTENSION plpgsql;
ALTER FUNCTION app.g NO DEPENDS ON EXTENSION plpgsql;
ALTER ROUTINE app.g(bigint) IMMUTABLE;
ALTER ROUTINE app.g(bigint) RENAME TO h;
DROP FUNCTION app.h;
-- moves nothing
DROP FUNCTION IF EXISTS app.h;
DROP FUNCTION f(integer, text), variable(integer[]);
DROP ROUTINE nothing();

CREATE PROCEDURE p(a integer, INOUT b text) LANGUAGE plpgsql AS 'BEGIN b := a; END';
CREATE OR REPLACE PROCEDURE p(a integer, INOUT b text) LANGUAGE plpgsql AS 'BEGIN b := a::text; END';
-- since: 14
CREATE PROCEDURE outed(OUT a integer) LANGUAGE plpgsql AS 'BEGIN a := 1; END';
-- since: 14
CREATE PROCEDURE atomic() LANGUAGE sql BEGIN ATOMIC; SELECT 1; SELECT 2; END;
ALTER PROCEDURE p(integer, text) SECURITY DEFINER;
ALTER PROCEDURE p(integer, text) SET search_path = app;
ALTER PROCEDURE p(integer, text) RESET ALL;
-- moves nothing
CALL p(1, 'x');
ALTER PROCEDURE p(integer, text) RENAME TO q;
ALTER PROCEDURE q(integer, text) SET SCHEMA app;
ALTER ROUTINE app.q(integer, text) SECURITY INVOKER;
DROP PROCEDURE app.q;
-- moves nothing
DROP PROCEDURE IF EXISTS app.q;
-- moves nothing
DO $$ BEGIN NULL; END $$;
-- moves nothing
CREATE FUNCTION pg_temp.passing() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TYPE span AS RANGE (subtype = integer);
DROP TYPE app.mood CASCADE;

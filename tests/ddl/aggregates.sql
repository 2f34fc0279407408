-- Aggregates: every form of CREATE, ALTER and DROP AGGREGATE.
-- needs: superuser

CREATE SCHEMA app;
CREATE FUNCTION app.add(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE FUNCTION app.sub(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';
CREATE FUNCTION app.done(integer) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text';
CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer);
CREATE OR REPLACE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
-- moves nothing
CREATE OR REPLACE AGGREGATE total(integer) (STYPE = int4, SFUNC = int4pl, INITCOND = '0');
CREATE OR REPLACE AGGREGATE total(integer) (SFUNC = app.add, STYPE = integer, INITCOND = '0');
-- fails
CREATE OR REPLACE AGGREGATE total(integer) (SFUNC = app.add, STYPE = integer, INITCOND = '0', FINALFUNC = app.done);
CREATE OR REPLACE AGGREGATE total(integer) (SFUNC = app.add, STYPE = integer, INITCOND = '0', FINALFUNC = int4abs);
-- fails
CREATE OR REPLACE AGGREGATE total(integer) (SFUNC = app.add, STYPE = bigint);
CREATE AGGREGATE moved(integer) (SFUNC = app.add, STYPE = integer, SSPACE = 16, FINALFUNC = app.done,
    FINALFUNC_MODIFY = SHAREABLE, COMBINEFUNC = app.add, INITCOND = '1', MSFUNC = app.add, MINVFUNC = app.sub,
    MSTYPE = integer, MSSPACE = 8, MFINALFUNC = app.done, MFINALFUNC_MODIFY = READ_WRITE, MINITCOND = '2',
    PARALLEL = SAFE);
CREATE OR REPLACE AGGREGATE moved(integer) (SFUNC = app.add, STYPE = integer, SSPACE = 16, FINALFUNC = app.done,
    FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = app.add, INITCOND = '1', MSFUNC = app.add, MINVFUNC = app.sub,
    MSTYPE = integer, MSSPACE = 8, MFINALFUNC = app.done, MFINALFUNC_MODIFY = READ_WRITE, MINITCOND = '2',
    PARALLEL = RESTRICTED);
CREATE AGGREGATE least_of(integer) (SFUNC = int4smaller, STYPE = integer, SORTOP = <);
CREATE AGGREGATE named(first integer) (SFUNC = int4pl, STYPE = integer);
-- fails
CREATE AGGREGATE several(integer, VARIADIC integer[]) (SFUNC = app.three, STYPE = integer);
CREATE AGGREGATE everything(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE serialised(numeric) (SFUNC = numeric_accum, STYPE = internal, FINALFUNC = numeric_sum,
    COMBINEFUNC = numeric_combine, SERIALFUNC = numeric_serialize, DESERIALFUNC = numeric_deserialize);
CREATE AGGREGATE middle(double precision ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
    FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE placed(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi,
    STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
CREATE AGGREGATE old (BASETYPE = integer, SFUNC = int4pl, STYPE = integer);
ALTER AGGREGATE total(integer) RENAME TO summed;
ALTER AGGREGATE summed(integer) SET SCHEMA app;
-- moves nothing
DROP AGGREGATE IF EXISTS nowhere(integer);
DROP AGGREGATE app.summed(integer);
DROP AGGREGATE everything(*), old(integer);
DROP ROUTINE named(integer);

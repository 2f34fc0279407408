-- A session has temporary objects, some with the names of permanent ones.
-- expect: nothing
CREATE TEMPORARY TABLE machines (id integer PRIMARY KEY CHECK (id > 0), status text);
CREATE TEMPORARY TABLE scratch AS SELECT 1 AS one;
CREATE INDEX scratch_idx ON scratch (one);
CREATE TEMPORARY VIEW machines_view AS SELECT * FROM machines;
CREATE TEMPORARY SEQUENCE numbers;
CREATE TYPE pg_temp.machinestatus AS ENUM ('a');
CREATE FUNCTION pg_temp.one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TEMPORARY TABLE _yoyo_migration (migration_id text);

-- needs: superuser

CREATE SCHEMA app;
CREATE TYPE app.pair AS (a integer, b integer);
CREATE FUNCTION app.to_pair(internal) RETURNS app.pair LANGUAGE internal IMMUTABLE AS 'int4recv';
CREATE FUNCTION app.from_pair(internal) RETURNS internal LANGUAGE internal IMMUTABLE AS 'prsd_lextype';
CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE TRANSFORM FOR app.pair LANGUAGE plpgsql (FROM SQL WITH FUNCTION app.from_pair(internal));
CREATE OR REPLACE TRANSFORM FOR app.pair LANGUAGE plpgsql (FROM SQL WITH FUNCTION app.from_pair(internal),
    TO SQL WITH FUNCTION app.to_pair(internal));
CREATE OR REPLACE TRANSFORM FOR app.pair LANGUAGE plpgsql (TO SQL WITH FUNCTION app.to_pair(internal));
-- moves nothing
CREATE OR REPLACE TRANSFORM FOR app.pair LANGUAGE plpgsql (TO SQL WITH FUNCTION app.to_pair(internal));
CREATE FUNCTION app.sum(app.pair) RETURNS integer LANGUAGE plpgsql TRANSFORM FOR TYPE app.pair AS 'BEGIN RETURN 1; END';
ALTER FUNCTION app.to_pair(internal) RENAME TO make_pair;
ALTER TYPE app.pair RENAME TO double;
-- fails
DROP TRANSFORM FOR app.double LANGUAGE plpgsql;
DROP TRANSFORM FOR app.double LANGUAGE plpgsql CASCADE;
DROP TRANSFORM FOR integer LANGUAGE sql;
-- moves nothing
DROP TRANSFORM IF EXISTS FOR integer LANGUAGE sql;

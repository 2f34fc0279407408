-- A schema was dropped with everything in it: one cause, one finding.
-- expect: schema_mismatch schema:app
-- repair: no, the rows are lost too, and an empty table is never created automatically
-- given:
CREATE SCHEMA app;
CREATE TABLE app.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text CHECK (note <> ''));
CREATE INDEX ON app.orders (note);
CREATE VIEW app.notes AS SELECT o.note FROM app.orders AS o;
CREATE FUNCTION app.one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- drift:
DROP SCHEMA app CASCADE;

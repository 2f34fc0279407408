-- A schema was renamed: its objects follow.
-- expect: schema_mismatch schema:app
-- role: readers
-- given:
CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO readers;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO readers;
CREATE TYPE app.state AS ENUM ('new', 'sent');
CREATE TABLE app.orders (id bigserial PRIMARY KEY, state app.state DEFAULT 'new' CHECK (state <> 'sent'::app.state));
CREATE INDEX ON app.orders (state);
CREATE FUNCTION app.next(app.state) RETURNS app.state LANGUAGE sql AS $$ SELECT 'sent'::app.state $$;
CREATE VIEW app.fresh AS SELECT id, app.next(state) FROM app.orders WHERE state = 'new';
CREATE TABLE lines (order_id bigint REFERENCES app.orders, state app.state);
COMMENT ON FUNCTION app.next(app.state) IS 'What comes next.';
-- drift:
ALTER SCHEMA app RENAME TO application;

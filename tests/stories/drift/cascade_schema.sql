-- A schema was dropped with CASCADE: dependent objects in other schemas went too.
-- expect: schema_mismatch schema:app
-- repair: no, the rows are lost too, and an empty table is never created automatically
-- given:
CREATE SCHEMA app;
CREATE TYPE app.state AS ENUM ('new', 'sent');
CREATE TABLE app.orders (id bigint PRIMARY KEY, state app.state);
CREATE TABLE lines (order_id bigint REFERENCES app.orders, state app.state);
CREATE VIEW order_ids AS SELECT id FROM app.orders;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC;
-- drift:
DROP SCHEMA app CASCADE;

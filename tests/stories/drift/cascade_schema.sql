-- A schema went, and with it what outside of it used what stood in it.
-- expect: schema_mismatch schema:app
-- repair: no, the rows went too, and nobody makes an empty table in their place unasked
-- given:
CREATE SCHEMA app;
CREATE TYPE app.state AS ENUM ('new', 'sent');
CREATE TABLE app.orders (id bigint PRIMARY KEY, state app.state);
CREATE TABLE lines (order_id bigint REFERENCES app.orders, state app.state);
CREATE VIEW order_ids AS SELECT id FROM app.orders;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC;
-- drift:
DROP SCHEMA app CASCADE;

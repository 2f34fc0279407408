-- A table is in another schema: its sequence, its index and the objects that mention it follow, and are not reported.
-- expect: schema_mismatch table:public.orders
-- role: readers
-- given:
CREATE SCHEMA archive;
CREATE TYPE size AS ENUM ('s', 'm');
CREATE TABLE orders (id bigserial PRIMARY KEY, note text DEFAULT 'none', size size NOT NULL,
                     machine_id uuid REFERENCES machines);
CREATE TABLE parts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint REFERENCES orders);
CREATE INDEX ON orders (note) WHERE note <> '';
CREATE VIEW notes AS SELECT o.note, p.id FROM orders o JOIN parts p ON p.order_id = o.id;
CREATE FUNCTION priced(orders) RETURNS int LANGUAGE sql AS 'SELECT 1';
GRANT SELECT ON orders TO readers;
COMMENT ON COLUMN orders.note IS 'Free text.';
-- drift:
ALTER TABLE orders SET SCHEMA archive;

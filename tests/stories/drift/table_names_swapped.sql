-- Two tables have exchanged their names: every query reads one in place of the other.
-- expect: schema_mismatch table:public.orders
-- expect: schema_mismatch table:public.orders_archive
-- given:
CREATE TABLE customers (id integer PRIMARY KEY);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer integer REFERENCES customers,
    total numeric CHECK (total >= 0)
);
CREATE TABLE orders_archive (LIKE orders INCLUDING ALL);
CREATE INDEX orders_by_customer ON orders (customer);
CREATE VIEW large_orders AS SELECT id, total FROM orders WHERE total > 1000;
CREATE VIEW old_orders AS SELECT id, total FROM orders_archive;
INSERT INTO customers VALUES (1);
INSERT INTO orders (customer, total) VALUES (1, 10), (1, 2000);
INSERT INTO orders_archive (customer, total) VALUES (1, 3);
-- drift:
ALTER TABLE orders RENAME TO orders_new;
ALTER TABLE orders_archive RENAME TO orders;
ALTER TABLE orders_new RENAME TO orders_archive;

-- A table was dropped with CASCADE: its views and the foreign keys that refer to it went too.
-- expect: schema_mismatch table:public.customers
-- repair: no, its rows are lost: restore a backup
-- role: readers
-- given:
CREATE TABLE customers (id bigserial PRIMARY KEY, name text NOT NULL);
CREATE TABLE customer_orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers, note text);
CREATE VIEW names AS SELECT name FROM customers;
CREATE VIEW short_names AS SELECT left(name, 3) FROM names;
CREATE FUNCTION first_name(customers) RETURNS text LANGUAGE sql AS 'SELECT $1.name';
GRANT SELECT ON customers, names TO readers;
-- drift:
DROP TABLE customers CASCADE;

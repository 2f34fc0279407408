-- A key was dropped with CASCADE: the foreign keys that refer to it went too.
-- expect: schema_mismatch constraint:public.customers.customers_pkey
-- given:
CREATE TABLE customers (id bigint PRIMARY KEY, code text UNIQUE);
CREATE TABLE customer_orders (customer_id bigint REFERENCES customers, code text REFERENCES customers (code));
-- drift:
ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE;

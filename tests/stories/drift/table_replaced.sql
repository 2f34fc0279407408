-- A table is missing, and an unexpected one differs from it.
-- expect: schema_mismatch table:public.orders
-- expect: unexpected_object table:public.orders_old
-- repair: no, its rows may be lost
-- given:
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
-- drift:
CREATE TABLE orders_old AS SELECT * FROM orders;
DROP TABLE orders;

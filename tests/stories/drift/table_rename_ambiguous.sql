-- A table is missing, and two unexpected tables equal it: a rename cannot be determined.
-- expect: schema_mismatch table:public.orders
-- expect: unexpected_object table:public.orders_a
-- expect: unexpected_object table:public.orders_b
-- repair: no, its rows may be lost
-- given:
CREATE TABLE orders (id bigint NOT NULL, note text);
-- drift:
ALTER TABLE orders RENAME TO orders_a;
CREATE TABLE orders_b (id bigint NOT NULL, note text);

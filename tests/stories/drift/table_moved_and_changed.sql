-- A table is in another schema, and one of its columns has another default.
-- expect: schema_mismatch table:public.orders
-- expect: schema_mismatch column:public.orders.note
-- given:
CREATE SCHEMA archive;
CREATE TABLE orders (id bigint PRIMARY KEY, note text DEFAULT 'none');
-- drift:
ALTER TABLE orders SET SCHEMA archive;
ALTER TABLE archive.orders ALTER COLUMN note SET DEFAULT 'archive';

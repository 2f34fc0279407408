-- A table was renamed, and some of its parts differ.
-- expect: schema_mismatch table:public.orders
-- expect: schema_mismatch index:public.orders.orders_note_idx
-- expect: schema_mismatch grant:table.public.orders.readers
-- expect: schema_mismatch column:public.orders.note
-- role: readers
-- given:
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text DEFAULT 'none');
CREATE INDEX ON orders (note);
GRANT SELECT ON orders TO readers;
-- drift:
ALTER TABLE orders RENAME TO purchases;
DROP INDEX orders_note_idx;
GRANT DELETE ON purchases TO readers;
ALTER TABLE purchases ALTER COLUMN note SET DEFAULT 'purchases';

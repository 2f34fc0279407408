-- A column is missing, and a similar one is in another position.
-- expect: schema_mismatch column:public.orders.note
-- expect: unexpected_object column:public.orders.remark
-- given:
CREATE TABLE orders (id bigint NOT NULL, note text, amount integer);
-- drift:
ALTER TABLE orders ADD COLUMN remark text;
ALTER TABLE orders DROP COLUMN note;

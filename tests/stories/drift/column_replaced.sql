-- A column is gone, and another one like it stands in another place.
-- expect: schema_mismatch column:public.orders.note
-- expect: unexpected_object column:public.orders.remark
-- repair: no, an object that nobody expects is dropped or adopted by hand
-- given:
CREATE TABLE orders (id bigint NOT NULL, note text, amount integer);
-- drift:
ALTER TABLE orders ADD COLUMN remark text;
ALTER TABLE orders DROP COLUMN note;

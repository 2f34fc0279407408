-- Objects of many kinds were renamed.
-- expect: schema_mismatch view:public.totals
-- expect: schema_mismatch view:public.sums
-- expect: schema_mismatch function:public.touch()
-- expect: schema_mismatch sequence:public.numbers
-- expect: schema_mismatch constraint:public.orders.orders_amount_check
-- expect: schema_mismatch constraint:public.size.size_check
-- expect: schema_mismatch index:public.orders.orders_note_idx
-- expect: schema_mismatch trigger:public.orders.touch
-- expect: schema_mismatch policy:public.orders.own
-- expect: schema_mismatch composite:public.pair
-- expect: schema_mismatch statistics:public.together
-- expect: schema_mismatch publication:sent
-- given:
CREATE SEQUENCE numbers INCREMENT BY 7;
CREATE DOMAIN size AS integer CHECK (VALUE > 0);
CREATE TYPE pair AS (one integer, other text);
CREATE TABLE orders (id bigint DEFAULT nextval('numbers'), note text, amount size CHECK (amount > 7), both_of pair);
CREATE INDEX ON orders (note);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY own ON orders USING (amount > 0);
CREATE STATISTICS together ON note, amount FROM orders;
CREATE VIEW totals AS SELECT sum(amount) AS total FROM orders;
CREATE MATERIALIZED VIEW sums AS SELECT t.total FROM totals t;
CREATE PUBLICATION sent FOR TABLE orders;
-- drift:
ALTER VIEW totals RENAME TO totals2;
ALTER MATERIALIZED VIEW sums RENAME TO sums2;
ALTER FUNCTION touch() RENAME TO touch2;
ALTER SEQUENCE numbers RENAME TO numbers2;
ALTER TABLE orders RENAME CONSTRAINT orders_amount_check TO amount_check;
ALTER DOMAIN size RENAME CONSTRAINT size_check TO big;
ALTER INDEX orders_note_idx RENAME TO note_idx;
ALTER TRIGGER touch ON orders RENAME TO touched;
ALTER POLICY own ON orders RENAME TO mine;
ALTER TYPE pair RENAME TO couple;
ALTER STATISTICS together RENAME TO apart;
ALTER PUBLICATION sent RENAME TO told;

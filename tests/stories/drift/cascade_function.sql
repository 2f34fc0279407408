-- A function was dropped with CASCADE: a trigger, a default, a check and a view went too.
-- expect: schema_mismatch function:public.touch()
-- expect: schema_mismatch function:public.one(integer)
-- given:
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION one(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE TABLE orders (id integer DEFAULT one(2), amount integer CHECK (amount > one(3)));
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER touch BEFORE UPDATE ON machines FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW ones AS SELECT one(4) AS four;
CREATE INDEX ON orders (one(amount));
-- drift:
DROP FUNCTION touch() CASCADE;
DROP FUNCTION one(integer) CASCADE;

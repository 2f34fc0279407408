-- A type, a function, a view and a sequence are in another schema, independently of each other.
-- expect: enum_mismatch enum:public.size
-- expect: schema_mismatch domain:public.price
-- expect: schema_mismatch function:public.total(integer)
-- expect: schema_mismatch view:public.notes
-- expect: schema_mismatch sequence:public.numbers
-- given:
CREATE SCHEMA archive;
CREATE TYPE size AS ENUM ('s', 'm');
CREATE DOMAIN price AS numeric CHECK (VALUE > 0);
CREATE SEQUENCE numbers;
CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE TABLE orders (id bigint DEFAULT nextval('numbers'), size size DEFAULT 's', price price, sum integer DEFAULT total(3));
CREATE VIEW notes AS SELECT o.size FROM orders o;
-- drift:
ALTER TYPE size SET SCHEMA archive;
ALTER DOMAIN price SET SCHEMA archive;
ALTER FUNCTION total SET SCHEMA archive;
ALTER VIEW notes SET SCHEMA archive;
ALTER SEQUENCE numbers SET SCHEMA archive;

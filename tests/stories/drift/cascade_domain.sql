-- A domain was dropped with CASCADE: its check, a column and a function went too.
-- expect: schema_mismatch domain:public.size
-- given:
CREATE DOMAIN size AS integer CHECK (VALUE > 0);
CREATE TABLE boxes (id integer, size size);
CREATE FUNCTION twice(size) RETURNS integer LANGUAGE sql AS 'SELECT $1 * 2';
-- drift:
DROP DOMAIN size CASCADE;

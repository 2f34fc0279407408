-- There is an additional function of a known name, which calls may resolve to.
-- expect: unexpected_object function:public.plus(integer)
-- given:
CREATE FUNCTION plus(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT $1 + 1';
-- drift:
CREATE FUNCTION plus(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 2';

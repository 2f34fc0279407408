-- There is a function more with a known name, which calls may find instead.
-- expect: unexpected_object function:public.plus(integer)
-- repair: no, an object that nobody expects is dropped or adopted by hand
-- given:
CREATE FUNCTION plus(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT $1 + 1';
-- drift:
CREATE FUNCTION plus(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 2';

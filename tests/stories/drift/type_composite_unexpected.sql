-- Somebody made a composite type.
-- expect: unexpected_object composite:public.address
-- repair: no, an object that nobody expects is dropped or adopted by hand
CREATE TYPE address AS (street text);

-- A composite type was created by hand.
-- expect: unexpected_object composite:public.address
-- repair: no, an unexpected object is dropped or adopted by hand
CREATE TYPE address AS (street text);

-- A composite type was created by hand.
-- expect: unexpected_object composite:public.address
CREATE TYPE address AS (street text);

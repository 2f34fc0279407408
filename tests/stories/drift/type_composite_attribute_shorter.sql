-- An attribute of a composite type holds fewer letters.
-- expect: schema_mismatch composite:public.address
-- repair: no, what stands in between cannot be put back by itself
-- given:
CREATE TYPE address AS (street varchar(200), town text);
-- drift:
ALTER TYPE address ALTER ATTRIBUTE street TYPE varchar(20);

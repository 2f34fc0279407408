-- An attribute of a composite type accepts fewer characters.
-- expect: schema_mismatch composite:public.address
-- given:
CREATE TYPE address AS (street varchar(200), town text);
-- drift:
ALTER TYPE address ALTER ATTRIBUTE street TYPE varchar(20);

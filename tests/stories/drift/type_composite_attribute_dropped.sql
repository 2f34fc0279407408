-- A composite type lost its last attribute.
-- expect: schema_mismatch composite:public.address
-- given:
CREATE TYPE address AS (street text, town text COLLATE "C", "post code" varchar(10));
-- drift:
ALTER TYPE address DROP ATTRIBUTE "post code";

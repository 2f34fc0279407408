-- A composite type has an additional attribute.
-- expect: schema_mismatch composite:public.address
-- given:
CREATE TYPE address AS (street text, town text);
-- drift:
ALTER TYPE address ADD ATTRIBUTE country text;

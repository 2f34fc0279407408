-- A composite type has an additional attribute.
-- expect: schema_mismatch composite:public.address
-- repair: no, the attribute may already have values
-- given:
CREATE TYPE address AS (street text, town text);
-- drift:
ALTER TYPE address ADD ATTRIBUTE country text;

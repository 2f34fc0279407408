-- A composite type has an attribute more, which rows written as text do not fill.
-- expect: schema_mismatch composite:public.address
-- repair: no, the attribute may hold values by now
-- given:
CREATE TYPE address AS (street text, town text);
-- drift:
ALTER TYPE address ADD ATTRIBUTE country text;

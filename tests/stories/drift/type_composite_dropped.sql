-- A composite type is missing.
-- expect: schema_mismatch composite:public.address
-- given:
CREATE TYPE address AS (street text, "select" text COLLATE "C");
-- drift:
DROP TYPE address;

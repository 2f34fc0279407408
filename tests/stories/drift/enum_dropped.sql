-- The type was dropped with all its dependents: one cause.
-- expect: enum_mismatch enum:public.machinestatus
-- given:
CREATE FUNCTION is_on(machinestatus) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 = 'active' $$;
CREATE VIEW active AS SELECT id FROM machines WHERE is_on(status);
GRANT SELECT ON active TO PUBLIC;
CREATE TYPE both_of AS (since date, status machinestatus);
-- drift:
DROP TYPE machinestatus CASCADE;

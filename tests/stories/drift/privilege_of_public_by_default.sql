-- PUBLIC lost its default privileges on new functions, types and schema public.
-- expect: schema_mismatch grant:function.public.twice(integer)."PUBLIC"
-- expect: schema_mismatch grant:domain.public.size."PUBLIC"
-- expect: schema_mismatch grant:enum.public.machinestatus."PUBLIC"
-- expect: schema_mismatch grant:schema.public."PUBLIC"
-- given:
CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * $1';
CREATE DOMAIN size AS integer;
-- drift:
REVOKE EXECUTE ON FUNCTION twice(integer) FROM PUBLIC;
REVOKE USAGE ON TYPE size FROM PUBLIC;
REVOKE USAGE ON TYPE machinestatus FROM PUBLIC;
REVOKE USAGE ON SCHEMA public FROM PUBLIC;

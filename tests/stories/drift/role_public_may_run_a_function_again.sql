-- PUBLIC may again execute a function for which this was revoked.
-- expect: schema_mismatch grant:function.public.story()."PUBLIC"
-- given:
CREATE FUNCTION story() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION story() FROM PUBLIC;
-- drift:
GRANT EXECUTE ON FUNCTION story() TO PUBLIC;

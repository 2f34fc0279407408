-- A function was dropped; since it was made, nobody but its owner may execute new functions, and one role may.
-- expect: schema_mismatch function:public.answer()
-- role: default_reader
-- given:
CREATE FUNCTION answer() RETURNS integer LANGUAGE sql AS 'SELECT 42';
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO default_reader;
-- drift:
DROP FUNCTION answer();

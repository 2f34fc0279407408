-- A function no longer belongs to the role that a migration gave it to.
-- expect: schema_mismatch owner:function.public.story(integer)
-- role: story_owner
-- given:
CREATE FUNCTION story(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION story(integer) OWNER TO story_owner;
-- drift:
ALTER FUNCTION story(integer) OWNER TO CURRENT_USER;

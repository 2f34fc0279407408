-- The application's role lost SELECT on the table.
-- expect: permission_denied table:public.machines
-- expect: schema_mismatch grant:table.public.machines.story_reader
-- contract: {"role": "story_reader", "tables": {"public.machines": {"privileges": ["SELECT"]}}}
-- role: story_reader
-- given:
GRANT USAGE ON SCHEMA public TO story_reader;
GRANT SELECT ON machines TO story_reader;
-- drift:
REVOKE SELECT ON machines FROM story_reader;

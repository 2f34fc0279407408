-- The tables, columns, values and privileges of a contract are present.
-- expect: nothing
-- contract: {"tables": {"public.machines": {"columns": {"id": "uuid", "location": "character varying(255)"}}}}
-- contract: {"enums": {"public.machinestatus": ["active", "inactive", "maintenance", "decommissioned"]}}
-- contract: {"role": "story_reader", "tables": {"public.machines": {"privileges": ["SELECT", "UPDATE"]}}}
-- role: story_reader
-- given:
GRANT USAGE ON SCHEMA public TO story_reader;
GRANT SELECT, UPDATE ON machines TO story_reader;
-- drift:
SELECT 1;

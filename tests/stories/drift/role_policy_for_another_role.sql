-- A policy lets another role see the rows.
-- expect: schema_mismatch policy:public.machines.story
-- role: story_owner
-- role: story_reader
-- given:
ALTER TABLE machines ENABLE ROW LEVEL SECURITY;
CREATE POLICY story ON machines FOR SELECT TO story_owner USING (true);
-- drift:
ALTER POLICY story ON machines TO story_reader;

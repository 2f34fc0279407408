-- A role is called PUBLIC, and has in everybody's place what everybody had.
-- expect: schema_mismatch grant:table.public.machines."PUBLIC"
-- expect: unexpected_object grant:table.public.machines."""PUBLIC"""
-- expect: schema_mismatch policy:public.machines.story
-- role: PUBLIC
-- repair: no, what nobody expects is never taken away by itself
-- given:
GRANT SELECT ON machines TO PUBLIC;
ALTER TABLE machines ENABLE ROW LEVEL SECURITY;
CREATE POLICY story ON machines FOR SELECT TO PUBLIC USING (true);
-- drift:
REVOKE SELECT ON machines FROM PUBLIC;
GRANT SELECT ON machines TO "PUBLIC";
ALTER POLICY story ON machines TO "PUBLIC";

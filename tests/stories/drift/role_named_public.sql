-- A role is named PUBLIC, and holds the privileges that the pseudo-role PUBLIC had.
-- expect: schema_mismatch grant:table.public.machines."PUBLIC"
-- expect: unexpected_object grant:table.public.machines."""PUBLIC"""
-- expect: schema_mismatch policy:public.machines.story
-- role: PUBLIC
-- repair: no, an unexpected privilege is never revoked automatically
-- given:
GRANT SELECT ON machines TO PUBLIC;
ALTER TABLE machines ENABLE ROW LEVEL SECURITY;
CREATE POLICY story ON machines FOR SELECT TO PUBLIC USING (true);
-- drift:
REVOKE SELECT ON machines FROM PUBLIC;
GRANT SELECT ON machines TO "PUBLIC";
ALTER POLICY story ON machines TO "PUBLIC";

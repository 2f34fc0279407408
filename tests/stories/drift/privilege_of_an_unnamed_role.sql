-- A DBA granted SELECT to a role of his own: a warning; for PUBLIC or a role that sql/ names it is critical.
-- expect: unexpected_object grant:table.public.machines.grafana_ro
-- expect: unexpected_object grant:column.public.things.note.grafana_ro
-- expect: schema_mismatch grant:table.public.machines.app_named
-- expect: schema_mismatch grant:table.public.machines."PUBLIC"
-- role: grafana_ro
-- role: app_named
-- repair: no, a privilege that a DBA granted is not revoked automatically
-- given:
CREATE TABLE things (note text);
GRANT SELECT ON things TO app_named;
-- drift:
GRANT SELECT ON machines TO grafana_ro;
GRANT UPDATE (note) ON things TO grafana_ro;
GRANT SELECT ON machines TO app_named;
GRANT SELECT ON machines TO PUBLIC;

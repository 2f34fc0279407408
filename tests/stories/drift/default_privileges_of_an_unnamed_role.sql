-- A role that sql/ does not name may read the tables of the future: nothing is lost by revoking what gives nothing yet.
-- expect: unexpected_object default_privileges:"(migrator)".tables.grafana_ro
-- expect: unexpected_object default_privileges:"(migrator)".functions.public.grafana_ro
-- role: grafana_ro
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO grafana_ro;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO grafana_ro;

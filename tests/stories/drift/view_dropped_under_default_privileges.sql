-- A view was dropped; since it was made, a role has default privileges on new tables.
-- expect: schema_mismatch view:public.working
-- role: default_reader
-- given:
CREATE VIEW working AS SELECT id FROM machines WHERE status = 'active';
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO default_reader;
-- drift:
DROP VIEW working;

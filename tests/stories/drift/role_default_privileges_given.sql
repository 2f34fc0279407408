-- By default PUBLIC may read tables that are created in the future.
-- expect: schema_mismatch default_privileges:"(migrator)".tables.public."PUBLIC"
-- drift:
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;

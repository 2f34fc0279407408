-- Tables that are yet to come will be everybody's to read.
-- expect: schema_mismatch default_privileges:"(migrator)".tables.public."PUBLIC"
-- repair: no, what nobody expects is never taken away by itself
-- drift:
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;

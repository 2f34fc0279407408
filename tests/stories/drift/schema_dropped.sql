-- A schema that a migration created is missing.
-- expect: schema_mismatch schema:app
-- given:
CREATE SCHEMA app;
-- drift:
DROP SCHEMA app;

-- A schema that a migration made is gone.
-- expect: schema_mismatch schema:app
-- given:
CREATE SCHEMA app;
-- drift:
DROP SCHEMA app;

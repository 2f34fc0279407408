-- An extension is in another schema.
-- expect: schema_mismatch extension:vector
-- given:
CREATE SCHEMA extensions;
CREATE EXTENSION vector WITH SCHEMA extensions;
-- drift:
ALTER EXTENSION vector SET SCHEMA public;

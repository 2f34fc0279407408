-- An extension is missing: one finding, whatever belonged to it.
-- expect: schema_mismatch extension:vector
-- given:
CREATE SCHEMA extensions;
CREATE EXTENSION vector WITH SCHEMA extensions;
-- drift:
DROP EXTENSION vector;

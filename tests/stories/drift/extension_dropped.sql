-- An extension is gone: one finding, however much belonged to it.
-- expect: schema_mismatch extension:vector
-- given:
CREATE SCHEMA extensions;
CREATE EXTENSION vector WITH SCHEMA extensions;
-- drift:
DROP EXTENSION vector;

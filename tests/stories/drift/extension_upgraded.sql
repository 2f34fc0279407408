-- An extension has another version.
-- expect: schema_mismatch extension:vector
-- repair: no, an extension cannot be downgraded
-- given:
CREATE EXTENSION vector;
-- drift:
UPDATE pg_catalog.pg_extension SET extversion = '99.0' WHERE extname = 'vector';

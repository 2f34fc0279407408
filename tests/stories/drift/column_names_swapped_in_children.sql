-- Two columns of a table and of its children have exchanged their names.
-- expect: schema_mismatch table:public.parents
-- role: reader
-- given:
CREATE TABLE parents (id bigint, "First" text, "select" text);
CREATE TABLE children (more text) INHERITS (parents);
GRANT SELECT ("First") ON parents TO reader;
COMMENT ON COLUMN parents."First" IS 'the first one';
-- drift:
ALTER TABLE parents RENAME "First" TO x;
ALTER TABLE parents RENAME "select" TO "First";
ALTER TABLE parents RENAME x TO "select";

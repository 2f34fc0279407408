-- A view was dropped with one that reads it: comments and a privilege on a column go, too.
-- expect: schema_mismatch view:public.labels
-- expect: schema_mismatch grant:column.public.loud_labels.label.column_reader
-- role: column_reader
-- given:
CREATE TABLE label (id integer PRIMARY KEY, label text);
CREATE VIEW labels AS SELECT id, label FROM label;
CREATE VIEW loud_labels AS SELECT upper(label) AS label FROM labels;
CREATE RULE keep AS ON DELETE TO labels DO INSTEAD NOTHING;
COMMENT ON VIEW labels IS 'All labels';
COMMENT ON COLUMN loud_labels.label IS 'In capitals';
COMMENT ON RULE keep ON labels IS 'Nobody deletes';
GRANT SELECT (label) ON loud_labels TO column_reader;
-- drift:
DROP VIEW labels CASCADE;

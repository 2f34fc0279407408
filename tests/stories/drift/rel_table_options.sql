-- A table is no longer vacuumed, and one of its columns has another storage.
-- expect: schema_mismatch table:public.things
-- expect: schema_mismatch column:public.things.note
-- given:
CREATE TABLE things (id bigint, note text) WITH (fillfactor = 70, toast.autovacuum_enabled = true);
ALTER TABLE things ALTER COLUMN note SET STORAGE MAIN;
-- drift:
ALTER TABLE things SET (autovacuum_enabled = false);
ALTER TABLE things RESET (fillfactor);
ALTER TABLE things ALTER COLUMN note SET STORAGE EXTERNAL;
ALTER TABLE things ALTER COLUMN note SET STATISTICS 5;

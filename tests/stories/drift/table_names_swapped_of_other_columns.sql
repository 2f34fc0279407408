-- Three tables without an index have exchanged their names in a circle; their columns show it.
-- expect: schema_mismatch table:public.a
-- expect: schema_mismatch table:public.b
-- expect: schema_mismatch table:public.c
-- given:
CREATE TABLE a (x integer);
CREATE TABLE b (x integer, y text);
CREATE TABLE c (z date);
CREATE VIEW v AS SELECT a.x, b.y FROM a JOIN b USING (x);
GRANT SELECT ON b TO pg_monitor;
-- drift:
ALTER TABLE a RENAME TO t;
ALTER TABLE b RENAME TO a;
ALTER TABLE c RENAME TO b;
ALTER TABLE t RENAME TO c;

-- The server writes its own entries to options.
-- expect: nothing
-- given:
CREATE TABLE things (id bigint PRIMARY KEY, note text, kind integer) WITH (toast.autovacuum_enabled = off);
ALTER TABLE things ALTER COLUMN kind SET (n_distinct = 5);
CREATE VIEW notes WITH (security_barrier) AS SELECT note FROM things;
CREATE MATERIALIZED VIEW kinds AS SELECT kind FROM things;
CREATE TABLE readings (id bigint, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX readings_id_idx ON readings (id);
CREATE TYPE pair AS (a integer, b text);
-- drift:
UPDATE pg_attribute
   SET attoptions = ARRAY['pg_attver=1', 'a_name_of_the_future=2'] || attoptions
 WHERE attnum > 0
   AND attrelid IN (SELECT oid
                      FROM pg_class
                     WHERE relkind IN ('r', 'p', 'v', 'm', 'c')
                       AND relnamespace = 'public'::regnamespace);
UPDATE pg_class
   SET reloptions = reloptions || '{pg_relver=7}'
 WHERE relkind IN ('r', 'v')
   AND relname IN ('things', 'notes');
UPDATE pg_class
   SET reloptions = '{pg_relver=7}'
 WHERE relkind = 'p' AND relname = 'readings'
    OR relkind = 'm' AND relname = 'kinds'
    OR relname IN ('things_pkey', 'readings_2025_id_idx');
UPDATE pg_class
   SET reloptions = reloptions || '{pg_relver=7}'
 WHERE oid = (SELECT reltoastrelid FROM pg_class WHERE relname = 'things');

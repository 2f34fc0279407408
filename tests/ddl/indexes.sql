-- Indexes: every form of CREATE INDEX, ALTER INDEX and DROP INDEX.

CREATE TABLE t (id integer NOT NULL, name text, data jsonb, span int4range, a integer, b integer);
CREATE INDEX ON t (name);
CREATE INDEX i ON t (id);
CREATE INDEX IF NOT EXISTS j ON t (id, name);
-- moves nothing
CREATE INDEX IF NOT EXISTS j ON t (id);
CREATE UNIQUE INDEX u ON t (id) INCLUDE (name);
-- since: 15
CREATE UNIQUE INDEX n ON t (a) NULLS NOT DISTINCT;
CREATE INDEX CONCURRENTLY c ON t (a);
CREATE INDEX h ON t USING hash (name);
CREATE INDEX g ON t USING gist (span);
CREATE INDEX gi ON t USING gin (data jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX br ON t USING brin (id) WITH (pages_per_range = 16);
CREATE INDEX sp ON t USING spgist (name);
CREATE INDEX e ON t (lower(name), (a + b) DESC NULLS LAST);
CREATE INDEX pt ON t (a) WHERE b > 3;
CREATE INDEX co ON t (name COLLATE "C" text_pattern_ops);
CREATE INDEX f ON t (a) WITH (fillfactor = 70, deduplicate_items = off);
ALTER INDEX f SET (fillfactor = 80);
ALTER INDEX f RESET (fillfactor, deduplicate_items);
-- moves nothing
ALTER INDEX f RESET (fillfactor);
ALTER INDEX e ALTER COLUMN 2 SET STATISTICS 300;
ALTER INDEX e ALTER COLUMN 1 SET STATISTICS 100;
ALTER INDEX e ALTER COLUMN 2 SET STATISTICS -1;
-- fails
ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 100;
ALTER INDEX i RENAME TO i2;
ALTER INDEX IF EXISTS i2 RENAME TO i;
-- moves nothing
ALTER INDEX IF EXISTS nowhere RENAME TO i;
ALTER TABLE j RENAME TO j2;
ALTER TABLE t CLUSTER ON i;
-- moves nothing
CLUSTER t;
ALTER TABLE t REPLICA IDENTITY USING INDEX u;
-- moves nothing
REINDEX INDEX i;
-- moves nothing
REINDEX INDEX CONCURRENTLY u;
-- moves nothing
REINDEX TABLE CONCURRENTLY t;
-- moves nothing
DROP INDEX IF EXISTS nowhere;
DROP INDEX c;
DROP INDEX CONCURRENTLY f;
-- moves nothing
INSERT INTO t (id, name) VALUES (1, 'twin');
-- moves nothing
INSERT INTO t (id, name, a) VALUES (2, 'twin', 2);
-- fails
-- sees more
CREATE UNIQUE INDEX CONCURRENTLY broken ON t (name);
-- fails
CREATE UNIQUE INDEX whole ON t (name);
-- sees more
DROP INDEX broken;
ALTER TABLE t RENAME TO renamed;
ALTER TABLE renamed RENAME COLUMN name TO called;

-- on materialized views
CREATE MATERIALIZED VIEW m AS SELECT 1 AS one, 'x'::text AS two;
CREATE UNIQUE INDEX mi ON m (one);
CREATE INDEX mj ON m (two);
ALTER MATERIALIZED VIEW m CLUSTER ON mj;
ALTER MATERIALIZED VIEW m SET WITHOUT CLUSTER;
-- moves nothing
REFRESH MATERIALIZED VIEW CONCURRENTLY m;
DROP INDEX mi;

-- Options: they are printed in the order in which they were set, which changes when one is set again.

CREATE TABLE t (a int PRIMARY KEY WITH (deduplicate_items = off, fillfactor = 70), b text) WITH (fillfactor = 70, autovacuum_enabled = off, toast.vacuum_truncate = off, toast.autovacuum_enabled = off);
ALTER TABLE t SET (fillfactor = 70);
ALTER TABLE t SET (fillfactor = 70);
ALTER TABLE t SET (toast.vacuum_truncate = off);
ALTER TABLE t RESET (fillfactor);
ALTER INDEX t_pkey SET (deduplicate_items = off);
ALTER INDEX t_pkey SET (fillfactor = 70);
ALTER INDEX t_pkey RESET (fillfactor);
ALTER TABLE t ALTER b SET (n_distinct_inherited = 3, n_distinct = 4);
ALTER TABLE t ALTER b SET (n_distinct_inherited = 3);
ALTER TABLE t ALTER b SET (n_distinct = 4);
ALTER TABLE t ALTER b RESET (n_distinct);
CREATE VIEW v WITH (security_barrier = true, check_option = local) AS SELECT a FROM t;
ALTER VIEW v SET (check_option = local);
ALTER VIEW v SET (security_barrier = true);
ALTER VIEW v SET (security_barrier = true);
CREATE OR REPLACE VIEW v WITH (check_option = local, security_barrier = true) AS SELECT a FROM t;
CREATE OR REPLACE VIEW v WITH (security_barrier = true, check_option = local) AS SELECT a FROM t;
CREATE MATERIALIZED VIEW m WITH (fillfactor = 40, autovacuum_enabled = off, toast.autovacuum_enabled = off) AS SELECT 1 AS a, 'x'::text AS b;
ALTER MATERIALIZED VIEW m SET (fillfactor = 40);
ALTER MATERIALIZED VIEW m SET (autovacuum_enabled = off);
CREATE INDEX i ON t (b) WITH (fillfactor = 50, deduplicate_items = on);
ALTER INDEX i SET (fillfactor = 50);
ALTER TABLE t ADD CONSTRAINT t_lower EXCLUDE (lower(b) WITH =);
-- sees at least: newer minor releases of pg_dump print it
ALTER INDEX t_lower ALTER COLUMN 1 SET STATISTICS 44;
CREATE TABLE p (a int, b text) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p DEFAULT;
CREATE INDEX pi ON p (b) WITH (deduplicate_items = off, fillfactor = 50);
ALTER INDEX p1_b_idx SET (deduplicate_items = off);
ALTER INDEX p1_b_idx SET (fillfactor = 50);
ALTER INDEX p1_b_idx SET (deduplicate_items = off);
ALTER TABLE t ADD EXCLUDE (b WITH =) WITH (fillfactor = 50, deduplicate_items = on);
ALTER INDEX t_b_excl SET (fillfactor = 50);
-- moves nothing
ALTER TABLE p ALTER COLUMN b RESET (n_distinct);

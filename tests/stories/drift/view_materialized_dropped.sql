-- A materialized view is missing, with its index: one finding.
-- expect: schema_mismatch view:public.machine_counts
-- given:
CREATE MATERIALIZED VIEW machine_counts AS SELECT m.status, count(*) FROM machines AS m GROUP BY m.status;
CREATE UNIQUE INDEX machine_counts_status_idx ON machine_counts (status);
-- drift:
DROP MATERIALIZED VIEW machine_counts;

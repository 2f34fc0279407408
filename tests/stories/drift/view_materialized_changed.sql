-- A materialized view was created again with another definition.
-- expect: schema_mismatch view:public.machine_counts
-- given:
CREATE MATERIALIZED VIEW machine_counts AS SELECT m.status, count(*) FROM machines AS m GROUP BY m.status;
-- drift:
DROP MATERIALIZED VIEW machine_counts;
CREATE MATERIALIZED VIEW machine_counts AS SELECT m.status, count(m.notes) FROM machines AS m GROUP BY m.status;

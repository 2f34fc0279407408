-- A table is missing, with the statistics on its columns: one finding.
-- expect: schema_mismatch table:public.visits
-- repair: no, the rows are lost
-- given:
CREATE TABLE visits (a integer, b integer);
CREATE STATISTICS visits_both ON a, b FROM visits;
-- drift:
DROP TABLE visits;

-- A table is gone, and what was known of its columns with it: one finding.
-- expect: schema_mismatch table:public.visits
-- repair: no, the rows are gone
-- given:
CREATE TABLE visits (a integer, b integer);
CREATE STATISTICS visits_both ON a, b FROM visits;
-- drift:
DROP TABLE visits;

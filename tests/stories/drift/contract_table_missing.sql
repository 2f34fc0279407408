-- The application reads a table that is not there; it reads a view that is.
-- expect: contract_broken table:public.visits
-- contract: {"tables": {"public.visits": {}, "public.active_machines": {"columns": {"id": "uuid"}}}}
-- repair: no, files and application disagree
-- given:
CREATE VIEW active_machines AS SELECT m.id FROM machines AS m;
-- drift:
SELECT 1;

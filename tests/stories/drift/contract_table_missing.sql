-- The application reads a table that does not exist, and a view that does.
-- expect: contract_broken table:public.visits
-- contract: {"tables": {"public.visits": {}, "public.active_machines": {"columns": {"id": "uuid"}}}}
-- repair: no, files and application disagree
-- given:
CREATE VIEW active_machines AS SELECT m.id FROM machines AS m;
-- drift:
SELECT 1;

-- A view shows rows that its reader may not see.
-- expect: schema_mismatch view:public.active_machines
-- since: 15
-- given:
CREATE VIEW active_machines WITH (security_invoker = true) AS SELECT m.id FROM machines AS m;
-- drift:
ALTER VIEW active_machines RESET (security_invoker);

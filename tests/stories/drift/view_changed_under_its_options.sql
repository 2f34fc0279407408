-- A view shows other rows; the repair must not remove security_invoker.
-- expect: schema_mismatch view:public.active_machines
-- since: 15
-- given:
CREATE VIEW active_machines WITH (security_invoker = true) AS
SELECT m.id FROM machines AS m WHERE m.status = 'active';
-- drift:
CREATE OR REPLACE VIEW active_machines WITH (security_invoker = true) AS SELECT m.id FROM machines AS m;

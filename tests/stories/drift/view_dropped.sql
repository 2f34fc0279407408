-- A view is missing.
-- expect: schema_mismatch view:public.active_machines
-- given:
CREATE VIEW active_machines WITH (security_barrier = true) AS
SELECT m.id, m.name FROM machines AS m WHERE m.status = 'active';
-- drift:
DROP VIEW active_machines;

-- A view rejects writes that it used to accept.
-- expect: schema_mismatch view:public.active_machines
-- given:
CREATE VIEW active_machines AS SELECT m.id FROM machines AS m WHERE m.status = 'active';
-- drift:
ALTER VIEW active_machines SET (check_option = 'local');

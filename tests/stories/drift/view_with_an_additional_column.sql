-- A view has an additional column.
-- expect: schema_mismatch view:public.active_machines
-- given:
CREATE VIEW active_machines AS SELECT m.id FROM machines AS m WHERE m.status = 'active';
-- drift:
CREATE OR REPLACE VIEW active_machines AS SELECT m.id, m.notes FROM machines AS m WHERE m.status = 'active';

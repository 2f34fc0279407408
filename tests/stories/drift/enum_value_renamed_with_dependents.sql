-- A renamed value also appears in defaults, checks, views and indexes: one cause, one finding.
-- expect: enum_mismatch enum:public.machinestatus
-- given:
ALTER TABLE machines ADD CONSTRAINT machines_located CHECK (location IS NOT NULL OR status <> 'active');
CREATE INDEX machines_active_idx ON machines (name) WHERE status = 'active';
CREATE VIEW active_machines AS SELECT m.id FROM machines AS m WHERE m.status = 'active';
-- drift:
ALTER TYPE machinestatus RENAME VALUE 'active' TO 'running';

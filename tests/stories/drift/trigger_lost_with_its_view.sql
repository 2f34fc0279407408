-- A view is missing, with its trigger: one finding.
-- expect: schema_mismatch view:public.active_machines
-- given:
CREATE VIEW active_machines AS SELECT m.id FROM machines AS m;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER active_machines_insert INSTEAD OF INSERT ON active_machines
    FOR EACH ROW EXECUTE FUNCTION nothing();
-- drift:
DROP VIEW active_machines;

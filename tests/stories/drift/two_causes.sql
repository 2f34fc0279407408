-- A view and a column are missing, independently of each other.
-- expect: schema_mismatch column:public.machines.notes
-- expect: schema_mismatch view:public.machine_names
-- given:
CREATE VIEW machine_names AS SELECT name FROM machines;
CREATE VIEW machine_notes AS SELECT m.notes FROM machines m;
-- drift:
DROP VIEW machine_names;
ALTER TABLE machines DROP COLUMN notes CASCADE;

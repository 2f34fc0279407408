-- A table was renamed: its parts and the objects that mention it follow, and are not reported.
-- expect: schema_mismatch table:public.machines
-- role: readers
-- given:
CREATE TABLE parts (id serial PRIMARY KEY, machine_id uuid REFERENCES machines);
CREATE VIEW machine_names AS SELECT name, machines.id FROM machines JOIN parts ON machines.id = parts.machine_id;
GRANT SELECT, INSERT ON machines TO readers;
GRANT UPDATE (notes) ON machines TO readers;
ALTER TABLE machines ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON machines USING (id IN (SELECT m.id FROM machines m));
COMMENT ON COLUMN machines.notes IS 'Free text.';
CREATE FUNCTION named(machines) RETURNS text LANGUAGE sql AS 'SELECT $1.name';
-- drift:
ALTER TABLE machines RENAME TO "Machines old";

-- A foreign key is missing.
-- expect: schema_mismatch constraint:public.visits.visits_machine_id_fkey
-- given:
CREATE TABLE visits (id bigint PRIMARY KEY, machine_id uuid REFERENCES machines (id));
-- drift:
ALTER TABLE visits DROP CONSTRAINT visits_machine_id_fkey;

-- A foreign key was never validated for the existing rows.
-- expect: schema_mismatch constraint:public.visits.visits_machine_id_fkey
-- given:
CREATE TABLE visits (id bigint PRIMARY KEY, machine_id uuid REFERENCES machines (id));
-- drift:
ALTER TABLE visits DROP CONSTRAINT visits_machine_id_fkey;
ALTER TABLE visits
    ADD CONSTRAINT visits_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES machines (id) NOT VALID;

-- A foreign key is checked at another time.
-- expect: schema_mismatch constraint:public.visits.visits_machine_id_fkey
-- given:
CREATE TABLE visits (id bigint PRIMARY KEY, machine_id uuid REFERENCES machines (id));
-- drift:
ALTER TABLE visits ALTER CONSTRAINT visits_machine_id_fkey DEFERRABLE INITIALLY DEFERRED;

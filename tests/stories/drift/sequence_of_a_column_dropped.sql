-- A serial column lost its sequence, and with it its default: one cause.
-- expect: schema_mismatch sequence:public.visits_id_seq
-- given:
CREATE TABLE visits (id serial PRIMARY KEY);
-- drift:
DROP SEQUENCE visits_id_seq CASCADE;

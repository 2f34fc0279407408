-- A serial column no longer owns its sequence.
-- expect: schema_mismatch sequence:public.visits_id_seq
-- given:
CREATE TABLE visits (id serial PRIMARY KEY);
-- drift:
ALTER SEQUENCE visits_id_seq OWNED BY NONE;

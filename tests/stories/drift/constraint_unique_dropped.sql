-- A unique constraint is missing: duplicates are possible.
-- expect: schema_mismatch constraint:public.visits.visits_number_key
-- given:
CREATE TABLE visits (number integer UNIQUE);
-- drift:
ALTER TABLE visits DROP CONSTRAINT visits_number_key;

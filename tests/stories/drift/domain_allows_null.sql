-- A domain lost its NOT NULL.
-- expect: schema_mismatch domain:public.country
-- given:
CREATE DOMAIN country AS varchar(2) NOT NULL;
-- drift:
ALTER DOMAIN country DROP NOT NULL;

-- A domain has another default.
-- expect: schema_mismatch domain:public.country
-- given:
CREATE DOMAIN country AS varchar(2) DEFAULT 'DE';
-- drift:
ALTER DOMAIN country SET DEFAULT 'FR';

-- A domain was created again on another type.
-- expect: schema_mismatch domain:public.country
-- given:
CREATE DOMAIN country AS varchar(2);
-- drift:
DROP DOMAIN country;
CREATE DOMAIN country AS varchar(3);

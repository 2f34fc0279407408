-- A domain was created again on another type.
-- expect: schema_mismatch domain:public.country
-- repair: no, the type of a domain cannot be altered
-- given:
CREATE DOMAIN country AS varchar(2);
-- drift:
DROP DOMAIN country;
CREATE DOMAIN country AS varchar(3);

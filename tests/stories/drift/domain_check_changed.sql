-- A domain has another check.
-- expect: schema_mismatch constraint:public.country.country_check
-- given:
CREATE DOMAIN country AS varchar(2) CHECK (VALUE ~ '^[A-Z]{2}$');
-- drift:
ALTER DOMAIN country DROP CONSTRAINT country_check;
ALTER DOMAIN country ADD CONSTRAINT country_check CHECK (VALUE <> '');

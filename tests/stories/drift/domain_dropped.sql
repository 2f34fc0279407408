-- A domain is missing, with its check: one finding.
-- expect: schema_mismatch domain:public.serial_number
-- given:
CREATE DOMAIN serial_number AS text NOT NULL CHECK (VALUE <> '');
-- drift:
DROP DOMAIN serial_number;

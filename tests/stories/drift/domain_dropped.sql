-- A domain is gone, and its check with it: one finding.
-- expect: schema_mismatch domain:public.serial_number
-- repair: no, its check is known to be lost only when the domain is back
-- given:
CREATE DOMAIN serial_number AS text NOT NULL CHECK (VALUE <> '');
-- drift:
DROP DOMAIN serial_number;

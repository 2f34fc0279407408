-- A conversion is missing.
-- expect: schema_mismatch conversion:public.inward
-- given:
CREATE DEFAULT CONVERSION inward FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
-- drift:
DROP CONVERSION inward;

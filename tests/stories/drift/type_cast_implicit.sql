-- A cast is applied implicitly.
-- expect: schema_mismatch cast:text."public.machinestatus"
-- given:
CREATE CAST (text AS machinestatus) WITH INOUT;
-- drift:
DROP CAST (text AS machinestatus);
CREATE CAST (text AS machinestatus) WITH INOUT AS IMPLICIT;

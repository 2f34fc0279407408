-- A cast is missing: queries that relied on it fail.
-- expect: schema_mismatch cast:"public.machinestatus".integer
-- given:
CREATE FUNCTION weight(machinestatus) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE CAST (machinestatus AS integer) WITH FUNCTION weight(machinestatus) AS ASSIGNMENT;
-- drift:
DROP CAST (machinestatus AS integer);

-- A sequence ends at the maximum of integer.
-- expect: schema_mismatch sequence:public.numbers
-- given:
CREATE SEQUENCE numbers;
-- drift:
ALTER SEQUENCE numbers AS integer;

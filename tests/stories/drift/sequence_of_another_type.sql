-- A sequence ends where integers end.
-- expect: schema_mismatch sequence:public.numbers
-- given:
CREATE SEQUENCE numbers;
-- drift:
ALTER SEQUENCE numbers AS integer;

-- A sequence is missing.
-- expect: schema_mismatch sequence:public.numbers
-- given:
CREATE SEQUENCE numbers AS integer INCREMENT BY 5 MINVALUE 0 START WITH 0 MAXVALUE 1000 CYCLE CACHE 3;
-- drift:
DROP SEQUENCE numbers;

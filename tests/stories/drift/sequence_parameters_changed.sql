-- A sequence has other limits and another increment, and cycles.
-- expect: schema_mismatch sequence:public.numbers
-- given:
CREATE SEQUENCE numbers AS integer INCREMENT BY 5 MINVALUE 0 START WITH 0;
-- drift:
ALTER SEQUENCE numbers INCREMENT BY 1 MINVALUE -10 MAXVALUE 100 START WITH 1 CACHE 7 CYCLE;

-- An aggregate has another initial value.
-- expect: schema_mismatch aggregate:public.total(integer)
-- given:
CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
-- drift:
CREATE OR REPLACE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '7');

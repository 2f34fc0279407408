-- An operator has no restriction estimator.
-- expect: schema_mismatch operator:public."<=>"(integer, integer)
-- given:
CREATE OPERATOR <=> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq, RESTRICT = eqsel);
-- drift:
ALTER OPERATOR <=> (integer, integer) SET (RESTRICT = NONE);

-- An operator is missing.
-- expect: schema_mismatch operator:public."<=>"(integer, "char")
-- given:
CREATE FUNCTION near(integer, "char") RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR <=> (LEFTARG = integer, RIGHTARG = "char", FUNCTION = near, RESTRICT = eqsel, JOIN = eqjoinsel);
-- drift:
DROP OPERATOR <=> (integer, "char");

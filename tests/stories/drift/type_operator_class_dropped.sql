-- An operator class is missing; its family still exists.
-- expect: schema_mismatch operator_class:public.backwards.btree
-- given:
CREATE OPERATOR CLASS backwards FOR TYPE integer USING btree AS
    OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(integer, integer);
-- drift:
DROP OPERATOR CLASS backwards USING btree;

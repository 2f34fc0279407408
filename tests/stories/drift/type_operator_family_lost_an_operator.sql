-- An operator family lost one of its operators.
-- expect: schema_mismatch operator_family:public.numbers.btree
-- given:
CREATE OPERATOR FAMILY numbers USING btree;
ALTER OPERATOR FAMILY numbers USING btree ADD
    OPERATOR 1 < (integer, bigint), FUNCTION 1 (integer, bigint) btint48cmp(integer, bigint);
-- drift:
ALTER OPERATOR FAMILY numbers USING btree DROP OPERATOR 1 (integer, bigint);

-- The last number of a sequence was drawn.
-- expect: sequence_exhausted sequence:public.fresh
-- slow: drawing numbers does not change a catalog
-- repair: no, a type is changed by a migration
-- given:
CREATE SEQUENCE fresh MAXVALUE 2;
-- drift:
SELECT nextval('fresh'), nextval('fresh');
SELECT nextval('fresh') -- fails: 2200H
;

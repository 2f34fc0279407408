-- Functions differ in white space and comments; one of them inside a literal.
-- expect: schema_mismatch function:public.one()
-- expect: schema_mismatch function:public.two()
-- expect: schema_mismatch function:public.three()
-- given:
CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN 1;  
END $$;
CREATE FUNCTION two() RETURNS text LANGUAGE sql AS $$ SELECT 'a  b' $$;
CREATE FUNCTION three() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 3; END $$;
-- drift:
CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN 1;
END $$;
CREATE OR REPLACE FUNCTION two() RETURNS text LANGUAGE sql AS $$ SELECT 'a b' $$;
CREATE OR REPLACE FUNCTION three() RETURNS int LANGUAGE plpgsql AS $$ BEGIN /* three */ RETURN 3; END $$;

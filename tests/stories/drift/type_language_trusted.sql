-- Every role may create functions in a language that was for superusers only.
-- expect: schema_mismatch language:plx
-- given:
CREATE LANGUAGE plx HANDLER plpgsql_call_handler VALIDATOR plpgsql_validator;
-- drift:
CREATE OR REPLACE TRUSTED LANGUAGE plx HANDLER plpgsql_call_handler VALIDATOR plpgsql_validator;

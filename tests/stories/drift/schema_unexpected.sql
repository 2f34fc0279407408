-- A schema with a table was created by hand: one finding, on the schema.
-- expect: unexpected_object schema:scratch
-- repair: no, an unexpected object is dropped or adopted by hand
CREATE SCHEMA scratch;
CREATE TABLE scratch.copy AS SELECT * FROM machines;

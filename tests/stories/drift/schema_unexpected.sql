-- A schema with a table was created by hand: one finding, on the schema.
-- expect: unexpected_object schema:scratch
CREATE SCHEMA scratch;
CREATE TABLE scratch.copy AS SELECT * FROM machines;

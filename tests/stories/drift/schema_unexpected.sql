-- Somebody made a schema with a table in it: one finding, about the schema.
-- expect: unexpected_object schema:scratch
-- repair: no, an object that nobody expects is dropped or adopted by hand
CREATE SCHEMA scratch;
CREATE TABLE scratch.copy AS SELECT * FROM machines;

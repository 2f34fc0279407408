-- A schema has another name.
-- expect: schema_mismatch schema:app
-- expect: unexpected_object schema:application
-- repair: no, an object that nobody expects is dropped or adopted by hand
-- given:
CREATE SCHEMA app;
CREATE TABLE app.orders (id bigint PRIMARY KEY);
-- drift:
ALTER SCHEMA app RENAME TO application;

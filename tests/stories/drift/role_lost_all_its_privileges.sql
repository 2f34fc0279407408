-- A role was dropped, with all its privileges; another role lost one privilege.
-- expect: schema_mismatch grant:schema.app.writers
-- expect: schema_mismatch grant:table.app.orders.readers
-- repair: no, the role must be created again first
-- role: readers
-- role: writers
-- given:
CREATE SCHEMA app;
CREATE TABLE app.orders (id bigint, note text);
CREATE TABLE app.lines (id bigint);
GRANT USAGE ON SCHEMA app TO writers, readers;
GRANT SELECT, INSERT ON app.orders, app.lines TO writers;
GRANT UPDATE (note) ON app.orders TO writers;
GRANT SELECT ON app.orders, app.lines TO readers;
-- drift:
DROP OWNED BY writers;
DROP ROLE writers;
REVOKE SELECT ON app.orders FROM readers;

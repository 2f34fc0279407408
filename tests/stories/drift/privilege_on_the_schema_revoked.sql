-- The application's role lost USAGE on the schema.
-- expect: permission_denied table:app.orders
-- expect: schema_mismatch grant:schema.app.story_reader
-- contract: {"role": "story_reader", "tables": {"app.orders": {"privileges": ["SELECT"]}}}
-- role: story_reader
-- given:
CREATE SCHEMA app;
CREATE TABLE app.orders (id bigint PRIMARY KEY);
GRANT USAGE ON SCHEMA app TO story_reader;
GRANT SELECT ON app.orders TO story_reader;
-- drift:
REVOKE USAGE ON SCHEMA app FROM story_reader;

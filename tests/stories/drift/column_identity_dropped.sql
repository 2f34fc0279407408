-- A column is no longer an identity column.
-- expect: schema_mismatch column:public.events.id
-- given:
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
-- drift:
ALTER TABLE events ALTER COLUMN id DROP IDENTITY;

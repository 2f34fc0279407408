-- The triggers of foreign keys are disabled, as a data load leaves them.
-- expect: schema_mismatch constraint:public.parts.parts_thing_fkey
-- given:
CREATE TABLE things (id bigint PRIMARY KEY);
CREATE TABLE parts (thing bigint REFERENCES things);
-- drift:
ALTER TABLE parts DISABLE TRIGGER ALL;

-- A column was dropped and another one was added: the neighbouring column kept its name.
-- expect: schema_mismatch column:public.people.first
-- expect: unexpected_object column:public.people.nick
-- given:
CREATE TABLE people (id bigint, first text, last text);
-- drift:
ALTER TABLE people DROP COLUMN first;
ALTER TABLE people ADD COLUMN nick text;

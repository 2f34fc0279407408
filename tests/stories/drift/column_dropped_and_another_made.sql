-- A column was dropped and another one made: its neighbour's name stayed where it was.
-- expect: schema_mismatch column:public.people.first
-- expect: unexpected_object column:public.people.nick
-- repair: no, nobody drops what is there
-- given:
CREATE TABLE people (id bigint, first text, last text);
-- drift:
ALTER TABLE people DROP COLUMN first;
ALTER TABLE people ADD COLUMN nick text;

-- A column was added by hand to a table with children.
-- expect: unexpected_object column:public.people.nickname
-- given:
CREATE TABLE people (id integer);
CREATE TABLE pupils (class text) INHERITS (people);
-- drift:
ALTER TABLE people ADD COLUMN nickname text;

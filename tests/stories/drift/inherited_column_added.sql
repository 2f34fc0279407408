-- Somebody added a column to a table that others inherit from.
-- expect: unexpected_object column:public.people.nickname
-- repair: no, nobody asks for an extra column to be dropped
-- given:
CREATE TABLE people (id integer);
CREATE TABLE pupils (class text) INHERITS (people);
-- drift:
ALTER TABLE people ADD COLUMN nickname text;

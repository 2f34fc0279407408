-- A column has its neighbour's name, which has a new name; an index and a type reveal this.
-- expect: schema_mismatch table:public.people
-- given:
CREATE TABLE people (age integer, year integer, name text);
CREATE INDEX people_age ON people (age);
-- drift:
ALTER TABLE people RENAME year TO born;
ALTER TABLE people RENAME age TO year;

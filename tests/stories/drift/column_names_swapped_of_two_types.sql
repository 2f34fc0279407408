-- Two columns of different types have exchanged their names: no type was changed.
-- expect: schema_mismatch table:public.people
-- given:
CREATE TABLE people (id bigint, age integer NOT NULL DEFAULT 7, name text, CHECK (age > 0));
CREATE INDEX people_name ON people (name);
CREATE VIEW names AS SELECT p.name FROM people AS p WHERE p.age > 17;
-- drift:
BEGIN;
ALTER TABLE people RENAME age TO x;
ALTER TABLE people RENAME name TO age;
ALTER TABLE people RENAME x TO name;
COMMIT;

-- Two columns of one type have exchanged their names: every row is read incorrectly.
-- expect: schema_mismatch table:public.people
-- given:
CREATE TABLE people (id bigint, first text, last text);
-- drift:
ALTER TABLE people RENAME first TO x;
ALTER TABLE people RENAME last TO first;
ALTER TABLE people RENAME x TO last;

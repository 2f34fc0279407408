-- Two columns have exchanged their names, and another column was added.
-- expect: schema_mismatch table:public.people
-- expect: unexpected_object column:public.people.more
-- given:
CREATE TABLE people (first text, last text);
-- drift:
ALTER TABLE people RENAME last TO x;
ALTER TABLE people RENAME first TO last;
ALTER TABLE people RENAME x TO first;
ALTER TABLE people ADD COLUMN more text;

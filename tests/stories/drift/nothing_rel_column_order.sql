-- A column was dropped and created again: it is last, which is not reported.
-- expect: nothing
-- given:
CREATE TABLE things (id bigint, note text, at date);
-- drift:
ALTER TABLE things DROP COLUMN note;
ALTER TABLE things ADD COLUMN note text;

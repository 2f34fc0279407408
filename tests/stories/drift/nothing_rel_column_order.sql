-- A column was dropped and made again: it stands last, which is worth no finding.
-- expect: nothing
-- given:
CREATE TABLE things (id bigint, note text, at date);
-- drift:
ALTER TABLE things DROP COLUMN note;
ALTER TABLE things ADD COLUMN note text;

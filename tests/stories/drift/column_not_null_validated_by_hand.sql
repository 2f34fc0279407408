-- A NOT NULL was validated by hand.
-- expect: schema_mismatch column:public.things.size
-- repair: no, a validation cannot be undone
-- since: 18
-- given:
CREATE TABLE things (size integer);
ALTER TABLE things ADD CONSTRAINT things_size_not_null NOT NULL size NOT VALID;
-- drift:
ALTER TABLE things VALIDATE CONSTRAINT things_size_not_null;

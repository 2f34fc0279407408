-- A rule is gone: what it kept out comes in.
-- expect: schema_mismatch rule:public.things.keep
-- given:
CREATE TABLE things (id bigint);
CREATE RULE keep AS ON DELETE TO things DO INSTEAD NOTHING;
ALTER TABLE things ENABLE ALWAYS RULE keep;
-- drift:
DROP RULE keep ON things;

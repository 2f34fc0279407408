-- A rule is missing: rows that it rejected are accepted.
-- expect: schema_mismatch rule:public.things.keep
-- given:
CREATE TABLE things (id bigint);
CREATE RULE keep AS ON DELETE TO things DO INSTEAD NOTHING;
ALTER TABLE things ENABLE ALWAYS RULE keep;
-- drift:
DROP RULE keep ON things;

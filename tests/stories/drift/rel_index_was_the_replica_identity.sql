-- The replica identity is another index.
-- expect: schema_mismatch index:public.things.things_a_idx
-- expect: schema_mismatch index:public.things.things_b_idx
-- given:
CREATE TABLE things (a bigint NOT NULL, b bigint NOT NULL);
CREATE UNIQUE INDEX things_a_idx ON things (a);
CREATE UNIQUE INDEX things_b_idx ON things (b);
ALTER TABLE things REPLICA IDENTITY USING INDEX things_a_idx;
-- drift:
ALTER TABLE things REPLICA IDENTITY USING INDEX things_b_idx;

-- Partitions were detached: their rows are no longer in their table, and other differences follow from this.
-- expect: schema_mismatch table:public.readings_2025
-- expect: schema_mismatch table:public.kinds_a
-- expect: schema_mismatch table:public.kinds_b
-- expect: schema_mismatch table:public.kinds_other
-- given:
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE places (id bigint PRIMARY KEY);
CREATE TABLE readings (id bigint NOT NULL, at date NOT NULL, place bigint REFERENCES places, size int CHECK (size > 0),
                       PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX readings_at ON readings (at);
CREATE TRIGGER stamped BEFORE UPDATE ON readings FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE kinds (kind text, at date) PARTITION BY LIST (kind);
CREATE TABLE kinds_a PARTITION OF kinds FOR VALUES IN ('a', 'A');
CREATE TABLE kinds_b PARTITION OF kinds FOR VALUES IN ('b') PARTITION BY HASH (at);
CREATE TABLE kinds_b_0 PARTITION OF kinds_b FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE kinds_other PARTITION OF kinds DEFAULT;
CREATE INDEX kinds_at ON kinds (at);
-- drift:
ALTER TABLE readings DETACH PARTITION readings_2025;
ALTER TABLE kinds DETACH PARTITION kinds_other;
ALTER TABLE kinds DETACH PARTITION kinds_a;
ALTER TABLE kinds DETACH PARTITION kinds_b;

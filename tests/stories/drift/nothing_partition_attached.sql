-- A table that was filled before became a partition, with its parent's grants and policies.
-- expect: nothing
-- role: readers
-- given:
CREATE TABLE readings (id bigint, at date NOT NULL, value integer DEFAULT 0 CHECK (value >= 0), PRIMARY KEY (id, at))
    PARTITION BY RANGE (at);
CREATE INDEX readings_value_idx ON readings (value);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
GRANT SELECT ON readings TO readers;
ALTER TABLE readings ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON readings FOR SELECT TO readers USING (true);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch AFTER INSERT ON readings FOR EACH ROW EXECUTE FUNCTION touch();
-- drift:
CREATE TABLE readings_2026 (value integer, id bigint NOT NULL, at date NOT NULL, CONSTRAINT readings_value_check CHECK (value >= 0));
GRANT SELECT ON readings_2026 TO readers;
ALTER TABLE readings_2026 ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON readings_2026 FOR SELECT TO readers USING (true);
ALTER TABLE readings ATTACH PARTITION readings_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
COMMENT ON TABLE readings_2026 IS 'Read by hand.';

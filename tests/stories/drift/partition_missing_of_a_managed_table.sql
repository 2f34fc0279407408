-- Another program manages the partitions; one of them does not match its table.
-- expect: unexpected_object index:public.readings_2026.readings_2026_at_idx
-- partitions: public.readings managed
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
DROP TABLE readings_2025;
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX ON readings_2026 (at);

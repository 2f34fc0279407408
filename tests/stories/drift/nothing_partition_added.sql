-- There is an additional partition that matches its parent.
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
CREATE TABLE alarms (id bigint, at date, FOREIGN KEY (id, at) REFERENCES readings (id, at));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch AFTER INSERT ON readings FOR EACH ROW EXECUTE FUNCTION touch();
-- drift:
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE readings_2027 PARTITION OF readings FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')
    PARTITION BY HASH (id);
CREATE TABLE readings_2027_all PARTITION OF readings_2027 FOR VALUES WITH (MODULUS 1, REMAINDER 0);

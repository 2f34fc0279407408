-- Partitions, inheritance and row security stay as the files define them while rows are inserted.
-- expect: nothing
-- given:
CREATE TABLE readings (id bigint, at date NOT NULL, value integer, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE INDEX readings_value_idx ON readings (value);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE parents (id integer);
CREATE TABLE children () INHERITS (parents);
ALTER TABLE parents ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON parents FOR SELECT USING (true);
-- drift:
INSERT INTO readings VALUES (1, '2025-06-01', 3);
INSERT INTO children VALUES (1);
ALTER TABLE readings DETACH PARTITION readings_2025;
ALTER TABLE readings ATTACH PARTITION readings_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- Partitions of a managed table were detached and kept, both listed and unlisted ones.
-- expect: nothing
-- partitions: public.readings managed
-- given:
CREATE TABLE readings (id bigint NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE readings_p2024 PARTITION OF readings FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY RANGE (id);
CREATE TABLE readings_p2024_1 PARTITION OF readings_p2024 FOR VALUES FROM (1) TO (10);
CREATE INDEX readings_at ON readings (at);
-- drift:
CREATE TABLE readings_p2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
ALTER TABLE readings DETACH PARTITION readings_p2024;
ALTER TABLE readings DETACH PARTITION readings_p2025;

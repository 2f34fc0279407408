-- An index of a partitioned table is missing, with those of its partitions: one finding.
-- expect: schema_mismatch index:public.readings.readings_value_idx
-- given:
CREATE TABLE readings (id bigint NOT NULL, at date NOT NULL, value integer) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX readings_value_idx ON readings (value);
-- drift:
DROP INDEX readings_value_idx;

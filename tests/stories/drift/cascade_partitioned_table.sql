-- A partitioned table was dropped with its partitions.
-- expect: schema_mismatch table:public.readings
-- repair: no, its rows are lost: restore a backup
-- given:
CREATE TABLE readings (id bigint, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX ON readings_2025 (id);
-- drift:
DROP TABLE readings;

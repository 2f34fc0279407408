-- A partitioned table was renamed, and then got another partition.
-- expect: schema_mismatch table:public.readings
-- given:
CREATE TABLE readings (id bigint, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- drift:
ALTER TABLE readings RENAME TO measurements;
CREATE TABLE readings_2026 PARTITION OF measurements FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- A partition was renamed.
-- expect: schema_mismatch table:public.readings_2025
-- given:
CREATE TABLE readings (id bigint, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- drift:
ALTER TABLE readings_2025 RENAME TO readings_old;
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

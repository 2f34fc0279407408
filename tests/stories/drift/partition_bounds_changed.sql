-- A partition has other bounds.
-- expect: schema_mismatch table:public.readings_2025
-- given:
CREATE TABLE readings (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- drift:
ALTER TABLE readings DETACH PARTITION readings_2025;
ALTER TABLE readings ATTACH PARTITION readings_2025 FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');

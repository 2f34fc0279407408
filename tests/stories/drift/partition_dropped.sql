-- A partition is missing, with everything that it inherited: one finding.
-- expect: schema_mismatch table:public.readings_2025
-- repair: no, its rows are lost: restore a backup
-- given:
CREATE TABLE readings (id bigint, at date NOT NULL, value integer CHECK (value >= 0), PRIMARY KEY (id, at))
    PARTITION BY RANGE (at);
CREATE INDEX readings_value_idx ON readings (value);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- drift:
DROP TABLE readings_2025;

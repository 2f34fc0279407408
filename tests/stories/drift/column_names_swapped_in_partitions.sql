-- Two columns of a partitioned table and of its partitions have exchanged their names.
-- expect: schema_mismatch table:public.moves
-- given:
CREATE TABLE moves (at date NOT NULL, source text, target text) PARTITION BY RANGE (at);
CREATE TABLE moves_2025 PARTITION OF moves FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE moves_2026 (target text, source text, at date NOT NULL);
ALTER TABLE moves ATTACH PARTITION moves_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX moves_source ON moves (source);
-- drift:
ALTER TABLE moves RENAME target TO x;
ALTER TABLE moves RENAME source TO target;
ALTER TABLE moves RENAME x TO source;

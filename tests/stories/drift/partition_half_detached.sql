-- The rows of a half-detached partition are not visible in its table.
-- expect: partition_half_detached detachment:public.readings_2025
-- since: 14
-- given:
CREATE TABLE readings (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- drift:
-- As DETACH PARTITION … CONCURRENTLY leaves it when it is stopped at its second transaction.
UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'readings_2025'::regclass;

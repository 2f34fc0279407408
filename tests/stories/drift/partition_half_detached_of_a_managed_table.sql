-- A partition of a managed table must not stay half detached.
-- expect: partition_half_detached detachment:public.readings_2026
-- since: 14
-- partitions: public.readings managed
-- given:
CREATE TABLE readings (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
-- drift:
UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'readings_2026'::regclass;

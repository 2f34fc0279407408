-- A column of a partitioned table became NOT NULL, in all its partitions.
-- expect: schema_mismatch column:public.readings.value
-- given:
CREATE TABLE readings (id integer, value numeric) PARTITION BY LIST (id);
CREATE TABLE readings_1 PARTITION OF readings FOR VALUES IN (1);
CREATE TABLE readings_2 PARTITION OF readings FOR VALUES IN (2) PARTITION BY LIST (value);
CREATE TABLE readings_2_1 PARTITION OF readings_2 FOR VALUES IN (1);
-- drift:
ALTER TABLE readings ALTER COLUMN value SET NOT NULL;

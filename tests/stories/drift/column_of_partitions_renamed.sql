-- A column of a partitioned table, and one of a parent table, were renamed: each is reported once.
-- expect: schema_mismatch column:public.readings.value
-- expect: schema_mismatch column:public.parents.name
-- given:
CREATE TABLE readings (id bigint, at date NOT NULL, value integer CHECK (value > 0)) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX ON readings (value);
CREATE TABLE parents (id integer, name text);
CREATE TABLE children (more text) INHERITS (parents);
-- drift:
ALTER TABLE readings RENAME COLUMN value TO reading;
ALTER TABLE parents RENAME COLUMN name TO called;

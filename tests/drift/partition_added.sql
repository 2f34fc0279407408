-- There is one more partition, with all that its parent has: one finding.
-- expect: unexpected_object table:public.readings_2026
-- repair: no, an object that nobody expects is dropped or adopted by hand
-- given:
CREATE TABLE readings (id bigint, at date NOT NULL, value integer CHECK (value >= 0), PRIMARY KEY (id, at))
    PARTITION BY RANGE (at);
CREATE INDEX readings_value_idx ON readings (value);
CREATE TABLE alarms (id bigint, at date, FOREIGN KEY (id, at) REFERENCES readings (id, at));
-- drift:
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

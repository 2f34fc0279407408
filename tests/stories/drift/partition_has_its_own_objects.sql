-- A new partition has its own index, constraint, trigger, policy, storage and NOT NULL.
-- expect: unexpected_object index:public.readings_2026.readings_2026_at_idx
-- expect: unexpected_object constraint:public.readings_2026.readings_2026_id_check
-- expect: unexpected_object trigger:public.readings_2026.again
-- expect: schema_mismatch policy:public.readings_2026.everybody
-- expect: schema_mismatch table:public.readings_2026
-- expect: schema_mismatch column:public.readings_2026.value
-- role: readers
-- given:
CREATE TABLE readings (id bigint, at date NOT NULL, value integer DEFAULT 0 CHECK (value >= 0), PRIMARY KEY (id, at))
    PARTITION BY RANGE (at);
CREATE INDEX readings_value_idx ON readings (value);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
GRANT SELECT ON readings TO readers;
ALTER TABLE readings ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON readings FOR SELECT TO readers USING (true);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch AFTER INSERT ON readings FOR EACH ROW EXECUTE FUNCTION touch();
-- drift:
CREATE UNLOGGED TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX ON readings_2026 (at);
ALTER TABLE readings_2026 ADD CHECK (id > 0), ALTER COLUMN value SET NOT NULL;
CREATE TRIGGER again AFTER INSERT ON readings_2026 FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY everybody ON readings_2026 USING (true);

-- A trigger is disabled on one partition.
-- expect: schema_mismatch trigger:public.readings.touch
-- given:
CREATE TABLE readings (id bigint, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch AFTER INSERT ON readings FOR EACH ROW EXECUTE FUNCTION touch();
-- drift:
ALTER TABLE readings_2025 DISABLE TRIGGER touch;

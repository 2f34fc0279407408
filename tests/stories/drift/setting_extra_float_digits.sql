-- The database sets too few digits for floating-point values.
-- expect: serialization_failed column:public.readings.value
-- repair: no, a setting is not an object
-- given:
CREATE TABLE readings (value double precision);
-- drift:
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET extra_float_digits = 0', current_database()); END $$;

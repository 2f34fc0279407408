-- The database sets an IntervalStyle that the driver cannot read.
-- expect: serialization_failed column:public.leases.lasts
-- repair: no, a setting is not an object
-- given:
CREATE TABLE leases (lasts interval);
-- drift:
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET IntervalStyle = ''iso_8601''', current_database()); END $$;

-- The database sets a DateStyle with which the driver cannot read timestamps.
-- expect: serialization_failed column:public.machines.created_at
-- repair: no, a setting is not an object
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = ''SQL, DMY''', current_database()); END $$;

-- The database gives its sessions a DateStyle that the driver cannot read instants in.
-- expect: serialization_failed column:public.machines.created_at
-- repair: no, a setting is not an object
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = ''SQL, DMY''', current_database()); END $$;

-- The database gives its sessions an encoding that cannot carry every letter.
-- expect: serialization_failed column:public.machines.location
-- expect: serialization_failed column:public.machines.model_type
-- repair: no, a setting is not an object
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET client_encoding = ''LATIN1''', current_database()); END $$;

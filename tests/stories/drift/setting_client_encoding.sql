-- The database sets an encoding that cannot represent every character.
-- expect: serialization_failed column:public.machines.location
-- expect: serialization_failed column:public.machines.model_type
-- repair: no, a setting is not an object
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET client_encoding = ''LATIN1''', current_database()); END $$;

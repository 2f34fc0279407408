-- The database sets an encoding in which the driver cannot read any text.
-- expect: serialization_failed enum:public.machinestatus
-- expect: serialization_failed column:public.machines.location
-- expect: serialization_failed column:public.machines.model_type
-- repair: no, a setting is not an object
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET client_encoding = ''SQL_ASCII''', current_database()); END $$;

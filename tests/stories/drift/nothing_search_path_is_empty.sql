-- The database sets an empty search_path for its sessions.
-- expect: nothing
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = ''''', current_database()); END $$;

-- The database gives its sessions an empty search_path.
-- expect: nothing
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = ''''', current_database()); END $$;

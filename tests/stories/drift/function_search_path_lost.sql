-- A function calls whatever its caller's search_path finds.
-- expect: schema_mismatch function:public.machines_set_updated_at()
ALTER FUNCTION machines_set_updated_at() RESET search_path;

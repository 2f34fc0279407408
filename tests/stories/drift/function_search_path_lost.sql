-- A function resolves names with its caller's search_path.
-- expect: schema_mismatch function:public.machines_set_updated_at()
ALTER FUNCTION machines_set_updated_at() RESET search_path;

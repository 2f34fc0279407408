-- A function runs with the rights of its owner.
-- expect: schema_mismatch function:public.machines_set_updated_at()
ALTER FUNCTION machines_set_updated_at() SECURITY DEFINER;

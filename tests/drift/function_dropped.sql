-- A function is gone, and the trigger that called it.
-- expect: schema_mismatch function:public.machines_set_updated_at()
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
DROP FUNCTION machines_set_updated_at() CASCADE;

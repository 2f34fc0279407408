-- A function is missing, with the trigger that called it: one cause.
-- expect: schema_mismatch function:public.machines_set_updated_at()
DROP FUNCTION machines_set_updated_at() CASCADE;

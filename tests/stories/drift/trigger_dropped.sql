-- A trigger is missing.
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
DROP TRIGGER machines_set_updated_at ON machines;

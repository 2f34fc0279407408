-- A trigger exists but is disabled.
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
ALTER TABLE machines DISABLE TRIGGER machines_set_updated_at;

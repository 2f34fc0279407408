-- A trigger is there, but switched off.
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
ALTER TABLE machines DISABLE TRIGGER machines_set_updated_at;

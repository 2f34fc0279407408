-- A trigger fires for what replication writes too.
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
ALTER TABLE machines ENABLE ALWAYS TRIGGER machines_set_updated_at;

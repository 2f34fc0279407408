-- A trigger also fires for changes by replication.
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
ALTER TABLE machines ENABLE ALWAYS TRIGGER machines_set_updated_at;

-- A trigger is gone that a migration had switched off: it must not come back switched on.
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
-- given:
ALTER TABLE machines DISABLE TRIGGER machines_set_updated_at;
-- drift:
DROP TRIGGER machines_set_updated_at ON machines;

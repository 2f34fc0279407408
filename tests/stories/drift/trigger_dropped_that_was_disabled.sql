-- A trigger that a migration had disabled is missing: it must be restored disabled.
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
-- given:
ALTER TABLE machines DISABLE TRIGGER machines_set_updated_at;
-- drift:
DROP TRIGGER machines_set_updated_at ON machines;

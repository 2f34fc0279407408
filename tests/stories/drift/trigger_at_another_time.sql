-- A trigger fires after the row is written, when it can no longer change it.
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
DROP TRIGGER machines_set_updated_at ON machines;
CREATE TRIGGER machines_set_updated_at
    AFTER UPDATE ON machines
    FOR EACH ROW EXECUTE FUNCTION machines_set_updated_at();

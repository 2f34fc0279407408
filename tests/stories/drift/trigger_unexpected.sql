-- A trigger was added by hand.
-- expect: unexpected_object trigger:public.machines.machines_touch
CREATE TRIGGER machines_touch BEFORE INSERT ON machines
    FOR EACH ROW EXECUTE FUNCTION machines_set_updated_at();

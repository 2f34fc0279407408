-- A trigger of the same name calls another function.
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
-- expect: unexpected_object function:public.nothing()
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
DROP TRIGGER machines_set_updated_at ON machines;
CREATE TRIGGER machines_set_updated_at
    BEFORE UPDATE ON machines
    FOR EACH ROW EXECUTE FUNCTION nothing();

-- A check constraint is missing.
-- expect: schema_mismatch constraint:public.machines.machines_name_check
-- given:
ALTER TABLE machines ADD CONSTRAINT machines_name_check CHECK (name <> '');
-- drift:
ALTER TABLE machines DROP CONSTRAINT machines_name_check;

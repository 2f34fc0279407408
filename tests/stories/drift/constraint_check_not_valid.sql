-- A check was added again without validation of the existing rows.
-- expect: schema_mismatch constraint:public.machines.machines_name_check
-- given:
ALTER TABLE machines ADD CONSTRAINT machines_name_check CHECK (name <> '');
-- drift:
ALTER TABLE machines DROP CONSTRAINT machines_name_check;
ALTER TABLE machines ADD CONSTRAINT machines_name_check CHECK (name <> '') NOT VALID;

-- A check that the files never validated is missing: it is restored without validation.
-- expect: schema_mismatch constraint:public.machines.machines_name_check
-- given:
ALTER TABLE machines ADD CONSTRAINT machines_name_check CHECK (name <> '') NOT VALID;
-- drift:
ALTER TABLE machines DROP CONSTRAINT machines_name_check;

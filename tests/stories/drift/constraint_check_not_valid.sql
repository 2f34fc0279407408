-- A check was put back without a look at the rows that are there.
-- expect: schema_mismatch constraint:public.machines.machines_name_check
-- given:
ALTER TABLE machines ADD CONSTRAINT machines_name_check CHECK (name <> '');
-- drift:
ALTER TABLE machines DROP CONSTRAINT machines_name_check;
ALTER TABLE machines ADD CONSTRAINT machines_name_check CHECK (name <> '') NOT VALID;

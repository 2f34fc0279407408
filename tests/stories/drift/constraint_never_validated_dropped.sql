-- A check is gone that the files never validated: it comes back without a look at the rows.
-- expect: schema_mismatch constraint:public.machines.machines_name_check
-- given:
ALTER TABLE machines ADD CONSTRAINT machines_name_check CHECK (name <> '') NOT VALID;
-- drift:
ALTER TABLE machines DROP CONSTRAINT machines_name_check;

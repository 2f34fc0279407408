-- A check accepts more values.
-- expect: schema_mismatch constraint:public.machines.machines_name_check
-- given:
ALTER TABLE machines ADD CONSTRAINT machines_name_check CHECK (length(name) > 3);
-- drift:
ALTER TABLE machines DROP CONSTRAINT machines_name_check;
ALTER TABLE machines ADD CONSTRAINT machines_name_check CHECK (length(name) > 2);

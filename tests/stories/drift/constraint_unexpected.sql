-- A check was added by hand.
-- expect: unexpected_object constraint:public.machines.machines_named
ALTER TABLE machines ADD CONSTRAINT machines_named CHECK (name <> 'machine');

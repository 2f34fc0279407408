-- A check was added by hand.
-- expect: unexpected_object constraint:public.machines.machines_named
-- repair: no, an unexpected object is dropped or adopted by hand
ALTER TABLE machines ADD CONSTRAINT machines_named CHECK (name <> 'machine');

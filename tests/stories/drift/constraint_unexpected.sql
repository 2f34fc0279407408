-- Somebody added a check.
-- expect: unexpected_object constraint:public.machines.machines_named
-- repair: no, an object that nobody expects is dropped or adopted by hand
ALTER TABLE machines ADD CONSTRAINT machines_named CHECK (name <> 'machine');

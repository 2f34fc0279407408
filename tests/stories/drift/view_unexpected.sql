-- A view was created by hand.
-- expect: unexpected_object view:public.all_machines
-- repair: no, an unexpected object is dropped or adopted by hand
CREATE VIEW all_machines AS SELECT * FROM machines;

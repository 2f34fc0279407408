-- A view was created by hand.
-- expect: unexpected_object view:public.all_machines
CREATE VIEW all_machines AS SELECT * FROM machines;

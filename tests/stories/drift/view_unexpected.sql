-- Somebody made a view.
-- expect: unexpected_object view:public.all_machines
-- repair: no, an object that nobody expects is dropped or adopted by hand
CREATE VIEW all_machines AS SELECT * FROM machines;

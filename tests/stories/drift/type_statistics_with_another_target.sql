-- A statistics object has the default target instead of its own.
-- expect: schema_mismatch statistics:public.machines_where
-- given:
CREATE STATISTICS machines_where ON name, location FROM machines;
ALTER STATISTICS machines_where SET STATISTICS 1000;
-- drift:
ALTER STATISTICS machines_where SET STATISTICS -1;

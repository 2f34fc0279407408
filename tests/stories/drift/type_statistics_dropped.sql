-- A statistics object on two correlated columns is missing.
-- expect: schema_mismatch statistics:public.machines_where
-- given:
CREATE STATISTICS machines_where (dependencies) ON name, location FROM machines;
ALTER STATISTICS machines_where SET STATISTICS 500;
-- drift:
DROP STATISTICS machines_where;

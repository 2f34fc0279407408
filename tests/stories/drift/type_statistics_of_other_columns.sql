-- A statistics object covers other and fewer columns.
-- expect: schema_mismatch statistics:public.machines_where
-- given:
CREATE STATISTICS machines_where (dependencies) ON name, location FROM machines;
-- drift:
DROP STATISTICS machines_where;
CREATE STATISTICS machines_where (dependencies) ON name, notes FROM machines;

-- A function of the same name and arguments returns another type.
-- expect: schema_mismatch function:public.machine_count()
-- given:
CREATE FUNCTION machine_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.machines';
-- drift:
DROP FUNCTION machine_count();
CREATE FUNCTION machine_count() RETURNS integer LANGUAGE sql AS 'SELECT count(*)::integer FROM public.machines';

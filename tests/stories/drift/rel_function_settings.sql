-- A function has other settings and another cost.
-- expect: schema_mismatch function:public.looked(integer)
-- given:
CREATE FUNCTION looked(a integer DEFAULT 3) RETURNS SETOF integer LANGUAGE sql STABLE COST 7 ROWS 9
    SET search_path = pg_catalog, "Odd, name" SET work_mem = '8MB' AS 'SELECT a';
-- drift:
ALTER FUNCTION looked(integer) RESET ALL;
ALTER FUNCTION looked(integer) COST 9 ROWS 5 SET my.own = 'x';

-- A function has another body.
-- expect: schema_mismatch function:public.machines_set_updated_at()
CREATE OR REPLACE FUNCTION machines_set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN NEW;
END
$$;

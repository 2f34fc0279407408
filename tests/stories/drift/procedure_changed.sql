-- A procedure has another body.
-- expect: schema_mismatch function:public.retire(uuid)
-- given:
CREATE PROCEDURE retire(machine uuid) LANGUAGE sql
    AS $$ UPDATE public.machines SET status = 'decommissioned' WHERE id = machine $$;
-- drift:
CREATE OR REPLACE PROCEDURE retire(machine uuid) LANGUAGE sql AS $$ DELETE FROM public.machines WHERE id = machine $$;

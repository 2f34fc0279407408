-- machines.updated_at keeps itself: every UPDATE of a row sets it to the time of its transaction.
--
-- Why:   an application forgets, psql never knew. What a statement says about updated_at is overruled.
--        The function has its search_path pinned, so that nobody's now() can take the place of ours.
-- From:  a trigger of another name that does the same is left alone; one of this name is replaced.
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: an instant.
-- depends: 0007_machines_notes

CREATE OR REPLACE FUNCTION public.machines_set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- Not CREATE OR REPLACE TRIGGER, which PostgreSQL 13 does not have.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                WHERE t.tgrelid = 'public.machines'::regclass AND t.tgname = 'machines_set_updated_at') THEN
        DROP TRIGGER machines_set_updated_at ON public.machines;
    END IF;
END
$$;

CREATE TRIGGER machines_set_updated_at
    BEFORE UPDATE ON public.machines
    FOR EACH ROW EXECUTE FUNCTION public.machines_set_updated_at();

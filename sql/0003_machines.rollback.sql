-- Drop the table machines, if it is empty. With a row in it this refuses: the rows may be older than
-- the migration, and nothing would bring them back.
--
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: an instant.

DO $$
BEGIN
    LOCK TABLE public.machines IN ACCESS EXCLUSIVE MODE;
    -- Rows that a policy hides are rows: with this off PostgreSQL stops instead.
    PERFORM set_config('row_security', 'off', true);
    IF EXISTS (SELECT FROM public.machines) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('cannot drop public.machines: it holds %s row(s)',
                             (SELECT count(*) FROM public.machines)),
            HINT = 'Copy the rows elsewhere and delete them if they may go. Nothing was changed.';
    END IF;
    DROP TABLE public.machines;
END
$$;

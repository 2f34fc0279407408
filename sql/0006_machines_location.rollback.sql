-- Drop machines.location, if no row has any. With a value in it this refuses.
--
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: one read of machines.

DO $$
DECLARE
    lost bigint;
BEGIN
    LOCK TABLE public.machines IN ACCESS EXCLUSIVE MODE;
    -- Rows that a policy hides are rows: with this off PostgreSQL stops instead.
    PERFORM set_config('row_security', 'off', true);
    SELECT count(m.location) INTO lost FROM public.machines AS m;
    IF lost > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('cannot drop machines.location: %s row(s) have a value', lost),
            HINT = 'Copy the values elsewhere and set them to NULL if they may go. Nothing was changed.';
    END IF;
    ALTER TABLE public.machines DROP COLUMN location;
END
$$;

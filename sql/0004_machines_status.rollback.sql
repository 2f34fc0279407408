-- Drop machines.status, if every machine is active, which is what the column would say again if it
-- came back. With any other status in it this refuses.
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
    SELECT count(*) INTO lost FROM public.machines AS m WHERE m.status <> 'active';
    IF lost > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('cannot drop machines.status: %s row(s) are not active', lost),
            HINT = 'Copy the values elsewhere and make them active if they may go. Nothing was changed.';
    END IF;
    ALTER TABLE public.machines DROP COLUMN status;
END
$$;

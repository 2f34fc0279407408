-- Drop the four dates of machines, if no row has one. With a date in any of them this refuses.
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
    SELECT count(*)
      INTO lost
      FROM public.machines AS m
     WHERE num_nonnulls(m.purchase_date, m.warranty_expiry_date,
                        m.last_maintenance_date, m.next_maintenance_date) > 0;
    IF lost > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('cannot drop the dates of machines: %s row(s) have one', lost),
            HINT = 'Copy the values elsewhere and set them to NULL if they may go. Nothing was changed.';
    END IF;
    ALTER TABLE public.machines
        DROP COLUMN purchase_date,
        DROP COLUMN warranty_expiry_date,
        DROP COLUMN last_maintenance_date,
        DROP COLUMN next_maintenance_date;
END
$$;

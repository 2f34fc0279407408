-- machines.purchase_date, warranty_expiry_date, last_maintenance_date, next_maintenance_date.
--
-- Why:   the model has them, and a SELECT of a column that is not there fails every request.
-- From:  no column: NULL, not known. A timestamp without time zone and a date are read as UTC, a date
--        as its midnight: the same instant whatever the time zone of the server or session is.
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: an instant (no default, so no rewrite), from timestamp too; from date a rewrite, 0.2 s for
--        100,000 rows.
-- depends: 0004_machines_status

ALTER TABLE public.machines
    ADD COLUMN IF NOT EXISTS purchase_date         timestamptz,
    ADD COLUMN IF NOT EXISTS warranty_expiry_date  timestamptz,
    ADD COLUMN IF NOT EXISTS last_maintenance_date timestamptz,
    ADD COLUMN IF NOT EXISTS next_maintenance_date timestamptz;

-- From here on: columns that were there before.
DO $$
DECLARE
    zone    CONSTANT text := current_setting('TimeZone');
    columns CONSTANT text[] := ARRAY['purchase_date', 'warranty_expiry_date',
                                     'last_maintenance_date', 'next_maintenance_date'];
    actions text;
BEGIN
    SELECT string_agg(format('ALTER COLUMN %1$I DROP DEFAULT,'
                             ' ALTER COLUMN %1$I TYPE timestamptz USING %1$I::timestamptz', a.attname), ', ')
      INTO actions
      FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = 'public.machines'::regclass AND a.attname = ANY (columns) AND NOT a.attisdropped
       AND format_type(a.atttypid, a.atttypmod) <> 'timestamp with time zone';

    IF actions IS NOT NULL THEN
        -- In UTC these casts mean UTC, and PostgreSQL takes a timestamp as it is, without a rewrite.
        PERFORM set_config('TimeZone', 'UTC', true);
        EXECUTE 'ALTER TABLE public.machines ' || actions;
        PERFORM set_config('TimeZone', zone, true);
    END IF;

    ALTER TABLE public.machines
        ALTER COLUMN purchase_date         DROP DEFAULT,
        ALTER COLUMN warranty_expiry_date  DROP DEFAULT,
        ALTER COLUMN last_maintenance_date DROP DEFAULT,
        ALTER COLUMN next_maintenance_date DROP DEFAULT,
        ALTER COLUMN purchase_date         DROP NOT NULL,
        ALTER COLUMN warranty_expiry_date  DROP NOT NULL,
        ALTER COLUMN last_maintenance_date DROP NOT NULL,
        ALTER COLUMN next_maintenance_date DROP NOT NULL;
END
$$;

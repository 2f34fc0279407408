-- machines.status: what the machine does, active unless said otherwise.
--
-- Why:   the application filters by it, and every machine has one.
-- From:  no column: every row becomes active. Text, or another enum: the value in lower case without
--        the blanks around it. NULL: active, which is what a row gets that says nothing, and what the
--        same row would have got had the column come later. A value that is no status stops the file.
--        A CHECK on status alone goes when text becomes the enum: the enum says it now, and a list of
--        upper-case words would refuse every row. A NOTICE names it.
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: an instant (a constant default needs no rewrite), one read if NOT NULL is new; a rewrite if
--        the values are converted or filled, 0.2 to 0.8 s for 100,000 rows.
-- depends: 0003_machines

ALTER TABLE public.machines
    ADD COLUMN IF NOT EXISTS status public.machinestatus NOT NULL DEFAULT 'active';

-- From here on: a column that was there before.
DO $$
DECLARE
    is_other boolean;
    c        record;
BEGIN
    SELECT a.atttypid <> 'public.machinestatus'::regtype
      INTO is_other
      FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = 'public.machines'::regclass AND a.attname = 'status';

    IF is_other THEN
        FOR c IN
            SELECT k.conname, pg_get_constraintdef(k.oid) AS definition
              FROM pg_catalog.pg_constraint AS k
              JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = 'status'
             WHERE k.conrelid = 'public.machines'::regclass AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
        LOOP
            RAISE NOTICE 'dropping %: the enum says it now: %', c.conname, c.definition;
            EXECUTE format('ALTER TABLE public.machines DROP CONSTRAINT %I', c.conname);
        END LOOP;
    END IF;

    IF is_other OR EXISTS (SELECT FROM public.machines AS m WHERE m.status IS NULL) THEN
        ALTER TABLE public.machines
            ALTER COLUMN status DROP DEFAULT,
            ALTER COLUMN status TYPE public.machinestatus
                USING coalesce(lower(btrim(status::text, E' \t\r\n') COLLATE "C"),
                               'active')::public.machinestatus;
    END IF;

    ALTER TABLE public.machines
        ALTER COLUMN status SET DEFAULT 'active',
        ALTER COLUMN status SET NOT NULL;
END
$$;

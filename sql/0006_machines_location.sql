-- machines.location: where the machine stands, at most 255 characters.
--
-- Why:   the model has it, and a SELECT of a column that is not there fails every request.
-- From:  no column: NULL, not known. Text of another length is kept as it is; a value over 255
--        characters stops the file, for nothing is ever cut off.
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: an instant (no default, so no rewrite); from text or a longer varchar a rewrite, 0.8 s for
--        100,000 long locations.
-- depends: 0005_machines_dates

ALTER TABLE public.machines
    ADD COLUMN IF NOT EXISTS location varchar(255);

-- From here on: a column that was there before.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = 'public.machines'::regclass AND a.attname = 'location'
                  AND (format_type(a.atttypid, a.atttypmod) <> 'character varying(255)'
                       OR a.attcollation <> 'pg_catalog."default"'::regcollation)) THEN
        -- No USING with a cast: a cast would cut the value, the assignment refuses it.
        ALTER TABLE public.machines
            ALTER COLUMN location DROP DEFAULT,
            ALTER COLUMN location TYPE varchar(255);
    END IF;

    ALTER TABLE public.machines
        ALTER COLUMN location DROP DEFAULT,
        ALTER COLUMN location DROP NOT NULL;
END
$$;

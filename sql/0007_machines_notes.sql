-- machines.notes: whatever else there is to say.
--
-- Why:   the model has it, and a SELECT of a column that is not there fails every request.
-- From:  no column: NULL, nothing to say. A varchar of any length becomes text as it is.
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: an instant (no default, so no rewrite), from varchar too.
-- depends: 0006_machines_location

ALTER TABLE public.machines
    ADD COLUMN IF NOT EXISTS notes text;

-- From here on: a column that was there before.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = 'public.machines'::regclass AND a.attname = 'notes'
                  AND (format_type(a.atttypid, a.atttypmod) <> 'text'
                       OR a.attcollation <> 'pg_catalog."default"'::regcollation)) THEN
        ALTER TABLE public.machines
            ALTER COLUMN notes DROP DEFAULT,
            ALTER COLUMN notes TYPE text;
    END IF;

    ALTER TABLE public.machines
        ALTER COLUMN notes DROP DEFAULT,
        ALTER COLUMN notes DROP NOT NULL;
END
$$;

-- The table machines: its key, whose it is, what it is, when its row was made and last changed.
--
-- Why:   these are the columns that every machine has had from the first day; the other fields come
--        one file at a time, so that a table of that day gets the same columns in the same order.
-- Types: text where the model says str: it has no length that somebody would have to guess, and a
--        varchar of any length becomes text without a rewrite.
-- From:  a table that is already there keeps every row and value. Missing columns are added, types
--        converted (timestamp and date are read as UTC: what servers write that keep no zone), NOT
--        NULL, defaults and the key's name set right. A NULL id gets a new one. A NULL created_at
--        becomes updated_at, a NULL updated_at becomes created_at, and now() where both are NULL.
--        Values are filled in by the change of type, not by UPDATE: no trigger fires, nothing else
--        of the row moves. Other columns, indexes and constraints are left alone.
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: an instant if it is new or fits, and from varchar and timestamp too; a rewrite if a date is
--        converted or a NULL filled, 0.2 to 0.7 s for 100,000 rows. A new NOT NULL or key reads it once.
-- depends: 0002_machinestatus

DO $$
DECLARE
    zone     CONSTANT text := current_setting('TimeZone');
    actions  text[] := '{}';
    is_empty boolean;
    key      name;
    c        record;
BEGIN
    IF to_regclass('public.machines') IS NULL THEN
        CREATE TABLE public.machines (
            id                       uuid        NOT NULL DEFAULT gen_random_uuid(),
            customer_organization_id uuid        NOT NULL,
            model_type               text        NOT NULL,
            name                     text        NOT NULL,
            serial_number            text        NOT NULL,
            created_at               timestamptz NOT NULL DEFAULT now(),
            updated_at               timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT machines_pkey PRIMARY KEY (id)
        );
        RETURN;
    END IF;

    ALTER TABLE public.machines
        ADD COLUMN IF NOT EXISTS id                       uuid,
        ADD COLUMN IF NOT EXISTS customer_organization_id uuid,
        ADD COLUMN IF NOT EXISTS model_type               text,
        ADD COLUMN IF NOT EXISTS name                     text,
        ADD COLUMN IF NOT EXISTS serial_number            text,
        ADD COLUMN IF NOT EXISTS created_at               timestamptz,
        ADD COLUMN IF NOT EXISTS updated_at               timestamptz;

    FOR c IN
        SELECT w.name, w.type, w.filled,
               a.attnotnull,
               format_type(a.atttypid, a.atttypmod) <> w.type
                   OR a.attcollation NOT IN (0, 'pg_catalog."default"'::regcollation) AS is_other
          FROM (VALUES
                   ('id',            'uuid',                     'coalesce(id, gen_random_uuid())'),
                   ('model_type',    'text',                     NULL),
                   ('name',          'text',                     NULL),
                   ('serial_number', 'text',                     NULL),
                   ('created_at',    'timestamp with time zone', 'coalesce(created_at, updated_at, now())'),
                   ('updated_at',    'timestamp with time zone', 'coalesce(updated_at, created_at, now())')
               ) AS w (name, type, filled)
          JOIN pg_catalog.pg_attribute AS a
            ON a.attrelid = 'public.machines'::regclass AND a.attname = w.name AND NOT a.attisdropped
    LOOP
        is_empty := false;
        IF c.filled IS NOT NULL AND NOT c.attnotnull THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM public.machines WHERE %I IS NULL)', c.name)
               INTO is_empty;
        END IF;
        IF c.is_other OR is_empty THEN
            actions := actions
                || format('ALTER COLUMN %I DROP DEFAULT', c.name)
                || format('ALTER COLUMN %I TYPE %s USING (%s)::%2$s', c.name, c.type,
                          CASE WHEN is_empty THEN c.filled ELSE quote_ident(c.name) END);
        END IF;
    END LOOP;

    IF actions <> '{}' THEN
        -- In UTC these casts mean UTC, and PostgreSQL takes a timestamp as it is, without a rewrite.
        PERFORM set_config('TimeZone', 'UTC', true);
        EXECUTE 'ALTER TABLE public.machines ' || array_to_string(actions, ', ');
        PERFORM set_config('TimeZone', zone, true);
    END IF;

    ALTER TABLE public.machines
        ALTER COLUMN id                       SET DEFAULT gen_random_uuid(),
        ALTER COLUMN customer_organization_id DROP DEFAULT,
        ALTER COLUMN model_type               DROP DEFAULT,
        ALTER COLUMN name                     DROP DEFAULT,
        ALTER COLUMN serial_number            DROP DEFAULT,
        ALTER COLUMN created_at               SET DEFAULT now(),
        ALTER COLUMN updated_at               SET DEFAULT now(),
        ALTER COLUMN id                       SET NOT NULL,
        ALTER COLUMN customer_organization_id SET NOT NULL,
        ALTER COLUMN model_type               SET NOT NULL,
        ALTER COLUMN name                     SET NOT NULL,
        ALTER COLUMN serial_number            SET NOT NULL,
        ALTER COLUMN created_at               SET NOT NULL,
        ALTER COLUMN updated_at               SET NOT NULL;

    SELECT k.conname
      INTO key
      FROM pg_catalog.pg_constraint AS k
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = 'id'
     WHERE k.conrelid = 'public.machines'::regclass AND k.contype = 'p' AND k.conkey = ARRAY[a.attnum];
    IF key IS NULL THEN
        ALTER TABLE public.machines ADD CONSTRAINT machines_pkey PRIMARY KEY (id);
    ELSIF key <> 'machines_pkey' THEN
        EXECUTE format('ALTER TABLE public.machines RENAME CONSTRAINT %I TO machines_pkey', key);
    END IF;

    -- PostgreSQL 18 names NOT NULLs too, and keeps the name when a table or column is renamed.
    FOR c IN
        SELECT k.conname, format('machines_%s_not_null', a.attname) AS wanted
          FROM pg_catalog.pg_constraint AS k
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
         WHERE k.conrelid = 'public.machines'::regclass AND k.contype = 'n'
           AND k.conname <> format('machines_%s_not_null', a.attname)
    LOOP
        EXECUTE format('ALTER TABLE public.machines RENAME CONSTRAINT %I TO %I', c.conname, c.wanted);
    END LOOP;
END
$$;

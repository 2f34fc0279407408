-- Look at a machines table that is already there, before anything changes.
--
-- Why:   whatever would stop a later file is said here, all of it at once, with counts, while the
--        database is untouched. An empty database, or one that fits, passes without a word.
-- Stops: a status that is none of active, inactive, maintenance, decommissioned, whatever its case
--        and the blanks around it (NULL is fine: it becomes active, the default); a location over
--        255 characters; no customer_organization_id, model_type, name or serial_number; two rows
--        with one id; a primary key on anything but id; a column of a type that is not converted
--        (text from text, varchar and char; timestamptz from timestamp and date, read as UTC;
--        status from text and from any enum); a view, policy, trigger or generated column that
--        PostgreSQL would not let go of a column whose type must change.
-- Lock:  ACCESS SHARE: reads and writes go on.
-- Takes: a few reads of machines, 0.1 to 0.4 s for 100,000 rows. Nothing is written.
-- Later: the files after this one trust PostgreSQL itself to refuse what came in since.

DO $$
DECLARE
    machines  CONSTANT regclass := to_regclass('public.machines');
    statuses  CONSTANT text[] := ARRAY['active', 'inactive', 'maintenance', 'decommissioned'];
    texts     CONSTANT text[] := ARRAY['text', 'varchar', 'bpchar'];
    instants  CONSTANT text[] := ARRAY['timestamptz', 'timestamp', 'date'];
    refused   text[] := '{}';
    row_count bigint := 0;
    count     bigint;
    culprits  text;
    c         record;
BEGIN
    -- Rows that a policy hides would be missed: with this off PostgreSQL stops instead.
    PERFORM set_config('row_security', 'off', true);

    IF EXISTS (SELECT FROM pg_catalog.pg_type AS t
                WHERE t.oid = to_regtype('public.machinestatus') AND t.typtype <> 'e') THEN
        refused := refused || 'type public.machinestatus is not an enum'::text;
    END IF;

    IF EXISTS (SELECT FROM pg_catalog.pg_class AS r WHERE r.oid = machines AND r.relkind <> 'r') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'cannot migrate public.machines: it is not an ordinary table',
            HINT = 'Rename it, then migrate again. Nothing was changed.';
    END IF;

    IF machines IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM %s', machines) INTO row_count;
    END IF;

    -- Every column: is it there, can its type be converted, is it filled, does anything hold on to it?
    FOR c IN
        SELECT w.name, w.type, w.given, a.attnum, a.attgenerated, a.attidentity,
               format_type(a.atttypid, a.atttypmod) AS found_type,
               (t.typnamespace = 'pg_catalog'::regnamespace AND t.typname = ANY (w.sources))
                   OR (w.name = 'status' AND t.typtype = 'e') AS is_convertible
          FROM (VALUES
                   ('id',                       'uuid',                     false, ARRAY['uuid']),
                   ('customer_organization_id', 'uuid',                     true,  ARRAY['uuid']),
                   ('model_type',               'text',                     true,  texts),
                   ('name',                     'text',                     true,  texts),
                   ('serial_number',            'text',                     true,  texts),
                   ('created_at',               'timestamp with time zone', false, instants),
                   ('updated_at',               'timestamp with time zone', false, instants),
                   ('status', format_type(to_regtype('public.machinestatus'), NULL), false, texts),
                   ('purchase_date',            'timestamp with time zone', false, instants),
                   ('warranty_expiry_date',     'timestamp with time zone', false, instants),
                   ('last_maintenance_date',    'timestamp with time zone', false, instants),
                   ('next_maintenance_date',    'timestamp with time zone', false, instants),
                   ('location',                 'character varying(255)',   false, texts),
                   ('notes',                    'text',                     false, texts)
               ) AS w (name, type, given, sources)
          LEFT JOIN pg_catalog.pg_attribute AS a
            ON a.attrelid = machines AND a.attname = w.name AND NOT a.attisdropped
          LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
         WHERE machines IS NOT NULL
    LOOP
        IF c.attnum IS NULL THEN
            IF c.given AND row_count > 0 THEN
                refused := refused || format('%s is missing, and %s row(s) need a value there',
                                             c.name, row_count);
            END IF;
            CONTINUE;
        END IF;

        IF NOT c.is_convertible THEN
            refused := refused || format('%s is %s, which is not converted to %s',
                                         c.name, c.found_type, coalesce(c.type, 'machinestatus'));
            CONTINUE;
        END IF;

        IF c.attgenerated <> '' OR c.attidentity <> '' THEN
            refused := refused || format('%s is a generated column', c.name);
        END IF;

        IF c.given THEN
            EXECUTE format('SELECT count(*) FROM %s WHERE %I IS NULL', machines, c.name) INTO count;
            IF count > 0 THEN
                refused := refused || format('%s is NULL in %s row(s)', c.name, count);
            END IF;
        END IF;

        IF c.name = 'location' THEN
            EXECUTE format('SELECT count(*) FROM %s WHERE char_length(location) > 255', machines) INTO count;
            IF count > 0 THEN
                refused := refused || format('location is longer than 255 characters in %s row(s)', count);
            END IF;
        END IF;

        -- Indexes, constraints, statistics and the column's own default follow a change of type;
        -- everything else that names the column makes PostgreSQL refuse it.
        IF c.found_type IS DISTINCT FROM c.type THEN
            SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid), ', ')
              INTO culprits
              FROM pg_catalog.pg_depend AS d
             WHERE d.refclassid = 'pg_catalog.pg_class'::regclass
               AND d.refobjid = machines
               AND d.refobjsubid = c.attnum
               AND d.classid NOT IN ('pg_catalog.pg_class'::regclass,
                                     'pg_catalog.pg_constraint'::regclass,
                                     'pg_catalog.pg_statistic_ext'::regclass)
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_attrdef AS o
                                WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
                                  AND o.oid = d.objid AND o.adnum = c.attnum);
            IF culprits IS NOT NULL THEN
                refused := refused || format('%s must become %s, but is held by %s',
                                             c.name, coalesce(c.type, 'machinestatus'), culprits);
            END IF;
        END IF;
    END LOOP;

    -- The key: id, once.
    SELECT string_agg(k.conname, ', ')
      INTO culprits
      FROM pg_catalog.pg_constraint AS k
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = 'id'
     WHERE k.conrelid = machines AND k.contype = 'p' AND k.conkey <> ARRAY[a.attnum];
    IF culprits IS NOT NULL THEN
        refused := refused || format('primary key %s is not on id alone', culprits);
    END IF;

    IF EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = machines AND a.attname = 'id') THEN
        EXECUTE format('SELECT count(id) - count(DISTINCT id) FROM %s', machines) INTO count;
        IF count > 0 THEN
            refused := refused || format('%s row(s) have the id of another row', count);
        END IF;
    END IF;

    -- Every column that holds a status: machines.status, and all others of the enum's type.
    FOR c IN
        SELECT a.attrelid::regclass AS holder, a.attname AS name
          FROM pg_catalog.pg_attribute AS a
          JOIN pg_catalog.pg_class AS r ON r.oid = a.attrelid
          JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
         WHERE r.relkind IN ('r', 'p') AND NOT a.attisdropped AND a.attinhcount = 0
           AND (a.atttypid = to_regtype('public.machinestatus')
                OR (a.attrelid = machines AND a.attname = 'status'
                    AND (t.typtype = 'e' OR t.typname = ANY (texts))))
         ORDER BY 1, 2
    LOOP
        EXECUTE format($query$
            SELECT string_agg(format('%%L in %%s row(s)', left(v.value, 40), v.count), ', '
                              ORDER BY v.count DESC, v.value)
              FROM (SELECT %2$I::text AS value, count(*) AS count
                      FROM %1$s
                     WHERE lower(btrim(%2$I::text, E' \t\r\n') COLLATE "C") <> ALL ($1)
                     GROUP BY 1
                     ORDER BY 2 DESC
                     LIMIT 10) AS v
            $query$, c.holder, c.name) INTO culprits USING statuses;
        IF culprits IS NOT NULL THEN
            refused := refused || format('%s.%I has no such status: %s', c.holder, c.name, culprits);
        END IF;
    END LOOP;

    IF refused <> '{}' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'cannot migrate public.machines: ' || array_to_string(refused, '; '),
            HINT = 'Mend these in the database, for example UPDATE public.machines SET status = ''inactive'''
                   ' WHERE status = ''…''; then migrate again. Nothing was changed.'
                   ' The statuses are active, inactive, maintenance, decommissioned.';
    END IF;
END
$$;

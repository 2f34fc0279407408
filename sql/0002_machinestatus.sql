-- The enum machinestatus: active, inactive, maintenance, decommissioned, in this order.
--
-- Why:   the application reads and writes these values. SQLAlchemy, left to itself, makes an enum of
--        the Python names instead ('ACTIVE', ...), and then every read of a right value fails.
-- From:  no type: it is created.
--        Labels that differ in case or blanks only, or that are missing: they are renamed and added
--        in place. No table is touched; views, defaults and rows follow.
--        Another order, a label too many, or two labels for one value ('ACTIVE' and 'active'): a new
--        type takes the old one's place in every column and default that has it. What cannot follow
--        (a view, a function, an array of it) stops the file with PostgreSQL's error, which names it.
--        A grant or a comment on the old type is not carried over.
-- Lock:  none on a table; only where the type is replaced, ACCESS EXCLUSIVE on the tables that use it.
-- Takes: an instant; where the type is replaced, a rewrite of these tables: 0.2 s for 100,000 rows.
-- depends: 0001_preflight

DO $$
DECLARE
    wanted CONSTANT text[] := ARRAY['active', 'inactive', 'maintenance', 'decommissioned'];
    labels text[];
    mapped text[];
    owner  name;
    label  text;
    c      record;
BEGIN
    IF to_regtype('public.machinestatus') IS NULL THEN
        CREATE TYPE public.machinestatus AS ENUM ('active', 'inactive', 'maintenance', 'decommissioned');
        RETURN;
    END IF;

    -- COLLATE "C": in a Turkish database the lower case of 'ACTIVE' would have a dotless i.
    SELECT coalesce(array_agg(e.enumlabel::text ORDER BY e.enumsortorder), '{}'),
           coalesce(array_agg(lower(btrim(e.enumlabel::text, E' \t\r\n') COLLATE "C")
                              ORDER BY e.enumsortorder), '{}')
      INTO labels, mapped
      FROM pg_catalog.pg_enum AS e
     WHERE e.enumtypid = to_regtype('public.machinestatus');

    -- In place, if what is there is some of the wanted labels, each once, in the wanted order.
    IF mapped = ARRAY(SELECT w.label
                        FROM unnest(wanted) WITH ORDINALITY AS w (label, position)
                       WHERE w.label = ANY (mapped)
                       ORDER BY w.position) THEN
        FOR i IN 1 .. cardinality(labels) LOOP
            IF labels[i] <> mapped[i] THEN
                EXECUTE format('ALTER TYPE public.machinestatus RENAME VALUE %L TO %L', labels[i], mapped[i]);
            END IF;
        END LOOP;
        FOR i IN 1 .. cardinality(wanted) LOOP
            -- A value added here can be used only after this transaction: no file uses one of its own.
            IF wanted[i] <> ALL (mapped) THEN
                EXECUTE format('ALTER TYPE public.machinestatus ADD VALUE %L', wanted[i])
                     || CASE WHEN i > 1 THEN format(' AFTER %L', wanted[i - 1])
                             WHEN mapped <> '{}' THEN format(' BEFORE %L', mapped[1])
                             ELSE '' END;
            END IF;
        END LOOP;
        RETURN;
    END IF;

    SELECT pg_get_userbyid(t.typowner)
      INTO owner
      FROM pg_catalog.pg_type AS t
     WHERE t.oid = to_regtype('public.machinestatus');

    ALTER TYPE public.machinestatus RENAME TO machinestatus_until_0002;
    CREATE TYPE public.machinestatus AS ENUM ('active', 'inactive', 'maintenance', 'decommissioned');
    EXECUTE format('ALTER TYPE public.machinestatus OWNER TO %I', owner);

    FOR c IN
        SELECT a.attrelid::regclass AS holder, a.attname AS name, pg_get_expr(d.adbin, d.adrelid) AS preset
          FROM pg_catalog.pg_attribute AS a
          JOIN pg_catalog.pg_class AS r ON r.oid = a.attrelid
          LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.atttypid = 'public.machinestatus_until_0002'::regtype
           AND r.relkind IN ('r', 'p') AND NOT a.attisdropped AND a.attinhcount = 0
         ORDER BY 1, 2
    LOOP
        EXECUTE format('ALTER TABLE %1$s'
                       ' ALTER COLUMN %2$I DROP DEFAULT,'
                       ' ALTER COLUMN %2$I TYPE public.machinestatus'
                       ' USING lower(btrim(%2$I::text, E'' \t\r\n'') COLLATE "C")::public.machinestatus',
                       c.holder, c.name);
        IF c.preset IS NOT NULL THEN
            EXECUTE format('SELECT lower(btrim((%s)::text, E'' \t\r\n'') COLLATE "C")', c.preset) INTO label;
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %L', c.holder, c.name, label);
        END IF;
    END LOOP;

    DROP TYPE public.machinestatus_until_0002;
END
$$;

"""A folder of migrations as a project collects them over years: schema after schema, each with difficult statements.

Fourteen schemas result in more than 300 migrations, which take minutes to replay: `make big`. The suite uses two
schemas, with the same statements.
"""

import os
from collections.abc import Iterator
from pathlib import Path

AREAS = int(os.environ.get("HEALTHD_AREAS", "2"))
NOT_TOGETHER = "-- transactional: false\n"

# The migrations of each area, with their rollbacks; {s} is its schema. All these rollbacks are exact.
FORMS: tuple[tuple[str, str, str], ...] = (
    (
        "schema",
        """CREATE SCHEMA {s};
           CREATE TYPE {s}.state AS ENUM ('new', 'paid');
           CREATE DOMAIN {s}.email AS text CHECK (VALUE LIKE '%@%');""",
        "DROP DOMAIN {s}.email;\nDROP TYPE {s}.state;\nDROP SCHEMA {s};",
    ),
    (
        "customers",
        """CREATE TABLE {s}.customers (
               id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
               email {s}.email UNIQUE,
               name varchar(20) NOT NULL,
               "begin" date,
               visits integer DEFAULT 0 CHECK (visits >= 0)
           );
           COMMENT ON COLUMN {s}.customers."begin" IS 'a column; not a block';""",
        "DROP TABLE {s}.customers;",
    ),
    (
        "orders",
        """CREATE TABLE {s}.orders (
               id serial PRIMARY KEY,
               customer bigint,
               state {s}.state NOT NULL DEFAULT 'new',
               total numeric(10, 2),
               ordered_at timestamptz NOT NULL DEFAULT now()
           );""",
        "DROP TABLE {s}.orders;",
    ),
    (
        "add_column",
        "ALTER TABLE {s}.orders ADD COLUMN note text;",
        "ALTER TABLE {s}.orders DROP COLUMN note;",
    ),
    (
        "add_column_with_default",
        "ALTER TABLE {s}.orders ADD COLUMN weight integer NOT NULL DEFAULT 1;",
        "ALTER TABLE {s}.orders DROP COLUMN weight;",
    ),
    (
        "add_column_with_volatile_default",
        "ALTER TABLE {s}.customers ADD COLUMN token uuid DEFAULT gen_random_uuid();",
        "ALTER TABLE {s}.customers DROP COLUMN token;",
    ),
    (
        "widen",
        "ALTER TABLE {s}.customers ALTER COLUMN name TYPE varchar(40);",
        "ALTER TABLE {s}.customers ALTER COLUMN name TYPE varchar(20);",
    ),
    (
        "retype",
        "ALTER TABLE {s}.customers ALTER COLUMN visits TYPE bigint;",
        "ALTER TABLE {s}.customers ALTER COLUMN visits TYPE integer;",
    ),
    (
        "not_null",
        "ALTER TABLE {s}.orders ALTER COLUMN customer SET NOT NULL;",
        "ALTER TABLE {s}.orders ALTER COLUMN customer DROP NOT NULL;",
    ),
    (
        "foreign_key_not_valid",
        """ALTER TABLE {s}.orders ADD CONSTRAINT orders_customer
               FOREIGN KEY (customer) REFERENCES {s}.customers NOT VALID;""",
        "ALTER TABLE {s}.orders DROP CONSTRAINT orders_customer;",
    ),
    (
        "validate",
        "ALTER TABLE {s}.orders VALIDATE CONSTRAINT orders_customer;",
        """ALTER TABLE {s}.orders DROP CONSTRAINT orders_customer, ADD CONSTRAINT orders_customer
               FOREIGN KEY (customer) REFERENCES {s}.customers NOT VALID;""",
    ),
    (
        "lines",
        """CREATE TABLE {s}.lines (order_id integer NOT NULL, position smallint NOT NULL, sku text);
           ALTER TABLE {s}.lines ADD PRIMARY KEY (order_id, position);
           ALTER TABLE {s}.lines ADD FOREIGN KEY (order_id) REFERENCES {s}.orders ON DELETE CASCADE;""",
        "DROP TABLE {s}.lines;",
    ),
    (
        "foreign_key",
        "ALTER TABLE {s}.lines ADD CONSTRAINT lines_position FOREIGN KEY (position) REFERENCES {s}.customers;",
        "ALTER TABLE {s}.lines DROP CONSTRAINT lines_position;",
    ),
    (
        "index",
        "CREATE INDEX lines_sku ON {s}.lines (lower(sku)) WHERE sku IS NOT NULL;",
        "DROP INDEX {s}.lines_sku;",
    ),
    (
        "index_concurrently",
        NOT_TOGETHER + "CREATE INDEX CONCURRENTLY orders_state ON {s}.orders (state, ordered_at DESC);",
        "DROP INDEX CONCURRENTLY {s}.orders_state;",
    ),
    (
        "add_value",
        "ALTER TYPE {s}.state ADD VALUE 'sent' AFTER 'paid';",
        """DROP INDEX {s}.orders_state;
           ALTER TABLE {s}.orders ALTER COLUMN state DROP DEFAULT;
           ALTER TYPE {s}.state RENAME TO state_before;
           CREATE TYPE {s}.state AS ENUM ('new', 'paid');
           ALTER TABLE {s}.orders ALTER COLUMN state TYPE {s}.state USING state::text::{s}.state;
           ALTER TABLE {s}.orders ALTER COLUMN state SET DEFAULT 'new';
           DROP TYPE {s}.state_before;
           CREATE INDEX orders_state ON {s}.orders (state, ordered_at DESC);""",
    ),
    (
        "events",
        """CREATE TABLE {s}.events (at timestamptz NOT NULL, what jsonb) PARTITION BY RANGE (at);
           CREATE TABLE {s}.events_2025 PARTITION OF {s}.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
           CREATE INDEX events_at ON {s}.events (at);""",
        "DROP TABLE {s}.events;",
    ),
    (
        "attach",
        """CREATE TABLE {s}.events_2026 (LIKE {s}.events INCLUDING ALL);
           ALTER TABLE {s}.events ATTACH PARTITION {s}.events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');""",
        "ALTER TABLE {s}.events DETACH PARTITION {s}.events_2026;\nDROP TABLE {s}.events_2026;",
    ),
    (
        "next_year",
        "CREATE TABLE {s}.events_2027 (LIKE {s}.events INCLUDING INDEXES);",
        "DROP TABLE {s}.events_2027;",
    ),
    (
        "attach_what_is_there",
        """ALTER TABLE {s}.events
           ATTACH PARTITION {s}.events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');""",
        """ALTER TABLE {s}.events DETACH PARTITION {s}.events_2027;""",
    ),
    (
        "trigger",
        """CREATE FUNCTION {s}.touch() RETURNS trigger LANGUAGE plpgsql AS $touch$
           BEGIN
               EXECUTE $$SELECT 'a; semicolon', $q$and another;$q$ $$;  /* a /* nested; */ comment; */
               NEW.ordered_at := now();
               RETURN NEW;
           END;
           $touch$;
           CREATE TRIGGER touch BEFORE UPDATE ON {s}.orders FOR EACH ROW WHEN (OLD.total IS DISTINCT FROM NEW.total)
               EXECUTE FUNCTION {s}.touch();""",
        "DROP TRIGGER touch ON {s}.orders;\nDROP FUNCTION {s}.touch();",
    ),
    (
        "views",
        """CREATE VIEW {s}.recent WITH (security_barrier) AS
               SELECT o.id, o.note, c.name FROM {s}.orders AS o JOIN {s}.customers AS c ON c.id = o.customer;
           CREATE MATERIALIZED VIEW {s}.totals AS SELECT customer, sum(total) AS total FROM {s}.orders GROUP BY 1;
           CREATE UNIQUE INDEX totals_customer ON {s}.totals (customer);""",
        "DROP MATERIALIZED VIEW {s}.totals;\nDROP VIEW {s}.recent;",
    ),
    (
        "atomic",
        """CREATE FUNCTION {s}.spent(who bigint) RETURNS numeric LANGUAGE sql STABLE
           BEGIN ATOMIC
               SELECT coalesce(sum(o.total), 0) FROM {s}.orders AS o WHERE o.customer = who;
           END;
           CREATE PROCEDURE {s}.forget(who bigint) LANGUAGE sql
           BEGIN ATOMIC
               DELETE FROM {s}.lines WHERE order_id IN (SELECT id FROM {s}.orders WHERE customer = who);
               UPDATE {s}.orders SET note = CASE WHEN note IS NULL THEN NULL ELSE E'it''s; gone' END
                WHERE customer = who;
           END;""",
        "DROP PROCEDURE {s}.forget(bigint);\nDROP FUNCTION {s}.spent(bigint);",
    ),
    (
        "policy",
        """ALTER TABLE {s}.customers ENABLE ROW LEVEL SECURITY;
           CREATE POLICY own ON {s}.customers FOR SELECT USING (email = current_setting('app.email', true));
           REVOKE ALL ON {s}.customers FROM PUBLIC;
           GRANT SELECT ON {s}.orders TO PUBLIC;
           UPDATE {s}.customers SET visits = 0 WHERE visits IS NULL;""",
        """REVOKE SELECT ON {s}.orders FROM PUBLIC;
           DROP POLICY own ON {s}.customers;
           ALTER TABLE {s}.customers DISABLE ROW LEVEL SECURITY;""",
    ),
)

# The last six migrations, whose rollbacks are not exact.
LAST: tuple[tuple[str, str, str | None, str], ...] = (
    ("label", "ALTER TYPE area_01.state ADD VALUE IF NOT EXISTS 'lost';", "SELECT 1;", "differs"),
    (
        "drop_column",
        "ALTER TABLE area_02.lines DROP COLUMN sku;",
        "ALTER TABLE area_02.lines ADD COLUMN sku text;",
        "differs",
    ),
    ("no_such_table", "CREATE TABLE area_01.extra ();", "DROP TABLE area_01.other;", "fails"),
    (
        "in_use",
        """CREATE TABLE area_02.used (id int PRIMARY KEY, up int REFERENCES area_02.used);
           CREATE VIEW area_02.user AS SELECT id FROM area_02.used;""",
        "DROP TABLE area_02.used;",
        "fails",
    ),
    ("no_way_back", "ALTER TABLE area_01.lines ALTER COLUMN position TYPE integer;", None, "missing"),
    ("backfill", "UPDATE area_02.orders SET note = '' WHERE note IS NULL;", None, "missing"),
)


def migrations() -> Iterator[tuple[str, str, str | None, str]]:
    """Yield the id, the file, its rollback and the expected verdict, in order."""
    number = 0
    for area in range(1, AREAS + 1):
        for name, apply, rollback in FORMS:
            number += 1
            schema = f"area_{area:02}"
            there, back = (text.replace("{s}", schema) for text in (apply, rollback))
            yield f"{number:04}_{schema}_{name}", there, back, "exact"
    for name, apply, without, verdict in LAST:
        number += 1
        yield f"{number:04}_{name}", apply, without, verdict


def write(folder: Path) -> dict[str, str]:
    """Write all files, and return the expected verdict of each."""
    verdicts = {}
    for name, apply, rollback, verdict in migrations():
        head, body = (NOT_TOGETHER, apply.removeprefix(NOT_TOGETHER)) if apply.startswith(NOT_TOGETHER) else ("", apply)
        (folder / f"{name}.sql").write_text(f"{head}-- {name}: as a shop has it.\n{body}\n")
        if rollback is not None:
            (folder / f"{name}.rollback.sql").write_text(f"-- Undo {name}.\n{rollback}\n")
        verdicts[name] = verdict
    return verdicts

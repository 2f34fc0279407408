"""Random drifts on tables with rows: one script repairs them or holds back what it says, and no value is lost.

The objects and the changes are drawn with a fixed seed; `make matrix` (HEALTHD_PROFILE=matrix) draws more of them.
What a script lost is not asked of healthd: the rows are read before and after it, by the numbers that the server gave
to tables and columns, which no rename changes. A fault that this finds becomes a case of test_repair_drifts.py.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import psycopg
import pytest
from pg_dump import run_psql

from healthd.model.findings import Report
from healthd.report.repair_text import script
from integration import other_kinds
from integration.test_hostile import report_on, snapshot_of

CASES = 300 if os.environ.get("HEALTHD_PROFILE") == "matrix" else 10

SCHEMA = """
    CREATE SCHEMA app;
    CREATE TYPE app.status AS ENUM ('new', 'paid', 'sent');
    CREATE TYPE app.place AS (street text, zip integer);
    CREATE DOMAIN app.email AS text CHECK (VALUE LIKE '%@%');
    CREATE FUNCTION app.twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
    CREATE TABLE app.customers (id integer PRIMARY KEY, name text NOT NULL, email app.email, home app.place,
                                since date);
    CREATE TABLE app.orders (id integer PRIMARY KEY, customer integer REFERENCES app.customers, past app.status[],
                             status app.status DEFAULT 'new', price numeric(8, 2) CHECK (price >= 0), note varchar(40));
    CREATE TABLE app.log (at date NOT NULL, n integer) PARTITION BY RANGE (at);
    CREATE TABLE app.log_2020 PARTITION OF app.log FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE TABLE app.log_rest PARTITION OF app.log DEFAULT;
    CREATE INDEX open ON app.orders (customer) WHERE status <> 'sent';
    CREATE UNIQUE INDEX emails ON app.customers (lower(email));
    CREATE VIEW app.unpaid AS SELECT o.id, c.name, app.twice(o.id) AS double
                                FROM app.orders AS o JOIN app.customers AS c ON c.id = o.customer
                               WHERE o.status = 'new';
    CREATE STATISTICS app.pairs ON status, customer FROM app.orders;
"""
ROWS = """
    INSERT INTO app.customers
        SELECT n, 'name ' || n, n || '@x', ROW('a b', n)::app.place, '2020-01-01' FROM generate_series(1, 4) AS n;
    INSERT INTO app.orders SELECT n, n, '{new,paid}', 'paid', n + 0.5, 'note' FROM generate_series(1, 4) AS n;
    INSERT INTO app.log VALUES ('2020-02-03', 1), ('2022-02-03', 2);
"""

# {table}, {column} (of the table) and {type} are drawn again each time; many of these fail, and then change nothing.
CHANGES = """
    ALTER TABLE {table} ADD COLUMN more {type}
    ALTER TABLE {table} ADD COLUMN extra integer NOT NULL DEFAULT 7
    ALTER TABLE {table} DROP COLUMN {column} CASCADE
    ALTER TABLE {table} DROP COLUMN {column}
    ALTER TABLE {table} RENAME COLUMN {column} TO other
    ALTER TABLE {table} ALTER COLUMN {column} TYPE {type} USING {column}::text::{type}
    ALTER TABLE {table} ALTER COLUMN {column} TYPE text
    ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL
    ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL
    ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT '1'
    ALTER TABLE {table} ADD CONSTRAINT ck CHECK ({column} IS NOT NULL)
    ALTER TABLE {table} RENAME TO elsewhere
    ALTER TABLE {table} SET (fillfactor = 70)
    ALTER TABLE app.orders DROP CONSTRAINT orders_customer_fkey
    ALTER TABLE app.orders DROP CONSTRAINT orders_pkey CASCADE
    ALTER TABLE app.log DETACH PARTITION app.log_2020
    ALTER TYPE app.status ADD VALUE 'lost'
    ALTER TYPE app.status RENAME VALUE 'sent' TO 'SENT'
    ALTER TYPE app.status SET SCHEMA public
    ALTER TYPE app.place ADD ATTRIBUTE land text CASCADE
    ALTER TYPE app.place RENAME ATTRIBUTE zip TO code CASCADE
    ALTER DOMAIN app.email DROP CONSTRAINT email_check
    DROP DOMAIN app.email CASCADE
    DROP VIEW app.unpaid
    CREATE OR REPLACE VIEW app.unpaid AS SELECT o.id, 'x' AS name, o.id AS double FROM app.orders AS o
    CREATE VIEW app.all_of_it AS SELECT * FROM {table}
    DROP INDEX app.open
    DROP INDEX app.emails
    CREATE INDEX ON {table} ({column})
    ALTER INDEX app.open RENAME TO closed
    DROP STATISTICS app.pairs
    ALTER FUNCTION app.twice(integer) RENAME TO double
    CREATE OR REPLACE FUNCTION app.twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n + n'
    CREATE TABLE app.new (id integer REFERENCES app.customers, status app.status)
    GRANT SELECT ON {table} TO PUBLIC
    UPDATE app.orders SET customer = 9 WHERE id = 1
    UPDATE app.orders SET note = 'new' WHERE id = 2
    INSERT INTO app.log VALUES ('2020-05-06', 3)""".strip().splitlines()
TYPES = "integer bigint text varchar(40) numeric timestamp jsonb app.status app.email text[] app.place".split()

COLUMNS = """
    SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname),
           array_agg(a.attnum ORDER BY a.attnum), array_agg(quote_ident(a.attname) ORDER BY a.attnum)
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind = 'r' AND n.nspname IN ('app', 'more', 'public')
     GROUP BY 1, 2
     ORDER BY 2"""
OBJECTS = SCHEMA + other_kinds.SCHEMA
Contents = dict[int, tuple[dict[int, list[str | None]], int]]


def contents(connection: psycopg.Connection[Any]) -> Contents:
    """Return the values of all columns as text, and the number of rows, by the numbers of tables and columns."""
    found = {}
    for oid, name, numbers, columns in connection.execute(COLUMNS).fetchall():
        texts = ", ".join(f"t.{column}::text" for column in columns)
        rows = connection.execute(f"SELECT {texts} FROM ONLY {name} AS t ORDER BY t.ctid".encode()).fetchall()
        found[oid] = {number: [row[at] for row in rows] for at, number in enumerate(numbers)}, len(rows)
    return found


def labels(connection: psycopg.Connection[Any]) -> dict[int, str]:
    return dict(connection.execute("SELECT oid, enumlabel::text FROM pg_enum").fetchall())


UNSET = frozenset({None, "7"})  # what nobody has set: NULL, and the default of a column that CHANGES adds


def losses(before: Contents, after: Contents, renamed: dict[str, str]) -> Iterator[str]:
    """Yield what is not there any more: rows, and values of columns; a value may be spelled as another type does."""

    def spelled(value: str | None) -> str | None:
        for old, new in renamed.items():
            value = value and value.replace(old, new)
        try:
            return str(Decimal(value).normalize()) if value else value
        except InvalidOperation:
            return value and value.rstrip().replace(",)", ")")  # an attribute that is empty may be dropped

    for oid, (columns, count) in before.items():
        now, now_count = after.get(oid, ({}, 0))
        if count != now_count:
            yield f"table {oid} had {count} rows and has {now_count}"
        for number, values in columns.items():
            if number not in now and not UNSET.issuperset(values):
                yield f"column {number} of table {oid} is gone with its values"
            elif number in now and Counter(map(spelled, values)) != Counter(map(spelled, now[number])):
                yield f"column {number} of table {oid} had {values} and has {now[number]}"


def drift(connection: psycopg.Connection[Any], chance: random.Random) -> list[str]:
    """Change the database at random; return the statements that the server accepted."""
    done: list[str] = []
    for _ in range(chance.randrange(3, 14)):
        tables = connection.execute(COLUMNS).fetchall()
        _, table, _, columns = chance.choice(tables)
        words = {"table": table, "column": chance.choice(columns), "type": chance.choice(TYPES)}
        among = CHANGES if chance.random() < 0.6 else other_kinds.CHANGES
        text = chance.choice(among).strip().format(**words)
        try:
            connection.execute(text.encode())
        except psycopg.Error:
            continue
        done.append(text)
    return done


def unannounced(first: Report, again: Report) -> list[str]:
    """Return what is reported after a script that did not say so."""
    said = {place for one in first.script if one.held or not one.sql for place in one.causes}
    return [one.message for one in again.findings if (one.key, one.attribute) not in said]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.rounds.complete_reading.AGAIN_S", 0.0)
    monkeypatch.setattr(
        "healthd.rounds.complete_reading.as_not_adopted", lambda verdict: verdict
    )  # the cases have no ledger


@pytest.mark.parametrize("seed", range(CASES))
async def test_one_script_repairs_a_drift_or_says_what_forbids_it(seed: int, database: str) -> None:
    chance = random.Random(seed)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute((OBJECTS + ROWS).encode())
        expected = await snapshot_of(database)
        done = drift(connection, chance)
        first = await report_on(database, expected)
        before, named = contents(connection), labels(connection)

        failure = await asyncio.to_thread(run_psql, script(first), database)

        after, names = contents(connection), labels(connection)
    again = await report_on(database, expected)
    renamed = {old: names[oid] for oid, old in named.items() if names.get(oid, old) != old}
    assert ("", [], []) == (failure, list(losses(before, after, renamed)), unannounced(first, again)), done

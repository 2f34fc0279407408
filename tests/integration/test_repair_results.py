"""What a script says of stored results, and how it runs in a database with settings of its own."""

from typing import Any, LiteralString

import psycopg
import pytest
from objects import fixtures_of

from healthd.model.snapshots import Snapshot
from healthd.repair.text import SESSION
from integration.test_repair_drifts import held_back, repaired, repairs

SCHEMA = """
    CREATE TYPE one AS ENUM ('a', 'b');
    CREATE TYPE two AS ENUM ('b', 'c');
    CREATE TYPE pair AS (x integer, y integer);
    CREATE FUNCTION norm(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(x)';
    CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.english);
    CREATE TABLE t (id integer PRIMARY KEY, a text, g text GENERATED ALWAYS AS (norm(a)) STORED, p one, q two,
                    tags text[] DEFAULT '{a,NULL}', CONSTRAINT good CHECK (norm(a) <> 'bad'));
    CREATE INDEX by_norm ON t (norm(a));
    CREATE INDEX by_word ON t USING gin (to_tsvector('words', a));
    CREATE MATERIALIZED VIEW kept AS SELECT id, a FROM t;
    CREATE VIEW report AS SELECT id FROM t;
    INSERT INTO t (id, a, p, q) VALUES (1, 'A', 'a', 'c'), (2, 'B', NULL, 'b');
"""
ROWS = "SELECT id, a, p::text, q::text FROM t ORDER BY id"

database, expected = fixtures_of(SCHEMA)

NOTED: dict[str, tuple[LiteralString, set[str]]] = {
    "a function that stored results come from": (
        "CREATE OR REPLACE FUNCTION norm(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(x)'",
        {
            (
                "index:public.t.by_norm keeps results of the present function: "
                "afterwards, REINDEX INDEX CONCURRENTLY public.by_norm;"
            ),
            (
                "column:public.t.g keeps results of the present function until each row is updated; "
                "ALTER TABLE public.t ALTER COLUMN g SET EXPRESSION AS (public.norm(a)); computes all (PostgreSQL 17)."
            ),
            (
                "Rows were checked with the present function: afterwards, SELECT * FROM public.t "
                "WHERE NOT ((public.norm(a) <> 'bad'::text)); -- against constraint:public.t.good"
            ),
        },
    ),
    "a text search configuration that an index uses": (
        "ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR asciiword WITH simple",
        {
            (
                "index:public.t.by_word keeps results of the present text search configuration: "
                "afterwards, REINDEX INDEX CONCURRENTLY public.by_word;"
            )
        },
    ),
    "a materialized view that nobody expects": (
        "CREATE MATERIALIZED VIEW more AS SELECT id FROM t",
        {"The rows of public.more, which its query found when it was last refreshed, are lost with it."},
    ),
    "a materialized view with another query": (
        "DROP MATERIALIZED VIEW kept; CREATE MATERIALIZED VIEW kept AS SELECT id, a FROM t WHERE id > 1",
        {"The query of public.kept runs again: it takes its time, and the rows are those that it finds now."},
    ),
}


@pytest.mark.parametrize("name", NOTED)
async def test_a_script_says_what_keeps_results(database: str, expected: Snapshot, sql: Any, name: str) -> None:
    drift, notes = NOTED[name]
    sql(database, drift)

    script, failure, left = await repaired(database, expected)

    assert ("", []) == (failure, left)
    assert notes <= {note for one in script for note in one.notes}


async def test_exchanged_enums_ask_for_the_labels_that_a_column_gets(
    database: str, expected: Snapshot, sql: Any
) -> None:
    drift: LiteralString = """
        ALTER TYPE one RENAME TO x; ALTER TYPE two RENAME TO one; ALTER TYPE x RENAME TO two"""
    await repairs(database, expected, sql, drift, ROWS)


async def test_settings_of_a_database_change_no_default(database: str, expected: Snapshot, sql: Any) -> None:
    drift: LiteralString = """
        ALTER TABLE t ALTER tags DROP DEFAULT;
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET array_nulls = off', current_database()); END $$"""
    sql(database, drift)

    _, failure, left = await repaired(database, expected)

    assert ("", []) == (failure, left)


def test_no_statement_of_a_script_has_a_time_limit(database: str, sql: Any) -> None:
    limit: LiteralString = """
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = %L', current_database(), '1h'); END $$"""
    sql(database, limit)

    with psycopg.connect(database, autocommit=True) as connection:
        before = connection.execute("SHOW statement_timeout").fetchone()
        for statement in SESSION:
            connection.execute(statement.encode())
        after = connection.execute("SHOW statement_timeout").fetchone()

    assert (("1h",), ("0",)) == (before, after)


@pytest.mark.parametrize(
    ("drift", "there"),
    [
        ("ALTER VIEW report RENAME TO slow; CREATE TABLE report AS SELECT * FROM slow", "report_aside"),
        ("ALTER TYPE pair RENAME TO old; CREATE TABLE pair AS SELECT id AS x, id AS y FROM t", "pair_aside"),
    ],
)
async def test_a_table_in_the_place_of_something_else_keeps_its_rows(
    database: str, expected: Snapshot, sql: Any, drift: LiteralString, there: str
) -> None:
    why = "2 rows: drop it only if nobody needs its rows"
    await held_back(database, expected, sql, drift, why, ROWS)

    assert [(2,)] == sql(database, f"SELECT count(*) FROM {there}")  # a name of this test

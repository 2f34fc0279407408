"""No row and no value is lost by a repair: not those that healthd cannot see, and not those that came later."""

from typing import Any

import psycopg
import pytest
from objects import objects
from pg_dump import run_psql

from healthd.comparison.roles import comparable
from healthd.database import finding_details
from healthd.database.connection import connect
from healthd.model.scripts import Script
from healthd.model.snapshots import Snapshot, diff
from healthd.repair.safety import Known
from healthd.repair.script import repair
from healthd.repair.text import PREAMBLE, transactions

details: Any = finding_details


async def script(url: str, expected: Snapshot, *, asked_by: str = "") -> Script:
    """Return the script for a database, with the counts of what its first version asks."""
    sides = comparable(expected, await objects(url), None)
    first = repair(*sides, diff(*sides), Known(), migrator="postgres")
    queries = tuple(dict.fromkeys(one.rows for one in first if one.rows))
    async with connect(asked_by or url) as connection:
        rows = await details._counts(connection, queries)
    return repair(*sides, diff(*sides), Known(rows), migrator="postgres")


def text(found: Script) -> str:
    return "\n".join([*PREAMBLE, *transactions(found)])


def runs(found: Script) -> list[str]:
    return [one.sql for one in found if one.sql and not one.held]


MORE = "CREATE TABLE more (id integer); ALTER TABLE t ADD COLUMN extra integer"


@pytest.fixture
async def expected(database: str, sql: Any) -> Snapshot:
    sql(database, "CREATE TABLE t (id integer); INSERT INTO t VALUES (1)")
    found = await objects(database)
    sql(database, MORE)
    return found


async def test_what_is_empty_is_dropped(database: str, sql: Any, expected: Snapshot) -> None:
    assert "" == run_psql(text(await script(database, expected)), database)
    assert () == diff(expected, await objects(database))
    assert [(1,)] == sql(database, "SELECT id FROM t")


async def test_what_came_after_the_script_was_printed_stays(database: str, sql: Any, expected: Snapshot) -> None:
    found = text(await script(database, expected))
    sql(database, "INSERT INTO more VALUES (7); UPDATE t SET extra = 8")

    assert "drop it only if nobody needs its " in run_psql(found, database)
    assert [(8, 7)] == sql(database, "SELECT t.extra, more.id FROM t, more")


async def test_rows_that_row_security_hides_from_healthd_are_rows(database: str, sql: Any, expected: Snapshot) -> None:
    sql(
        database,
        """DROP ROLE IF EXISTS asks_repair; CREATE ROLE asks_repair LOGIN; INSERT INTO more VALUES (7);
           GRANT SELECT ON more, t TO asks_repair; ALTER TABLE more ENABLE ROW LEVEL SECURITY""",
    )

    found = await script(database, expected, asked_by=database.replace("postgres@", "asks_repair@", 1))

    assert [] == [one for one in runs(found) if one.startswith("DROP TABLE")]


async def test_rows_that_row_security_hides_from_whoever_runs_the_script_are_rows(
    database: str, sql: Any, expected: Snapshot
) -> None:
    found = text(await script(database, expected))
    sql(
        database,
        """DROP ROLE IF EXISTS runs_repair; CREATE ROLE runs_repair LOGIN; INSERT INTO more VALUES (7);
           GRANT ALL ON SCHEMA public TO runs_repair; ALTER TABLE more OWNER TO runs_repair;
           ALTER TABLE t OWNER TO runs_repair; ALTER TABLE more ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY""",
    )

    failure = run_psql(found, database.replace("postgres@", "runs_repair@", 1))

    assert 'row-level security policy for table "more"' in failure
    assert [(7,)] == sql(database, "SELECT id FROM more")


async def test_a_value_that_another_type_would_change_stops_the_script(database: str, sql: Any) -> None:
    sql(database, "CREATE TABLE p (price numeric(6, 2), day date, label varchar(5))")
    expected = await objects(database)
    sql(database, "ALTER TABLE p ALTER price TYPE numeric, ALTER day TYPE timestamp, ALTER label TYPE text")
    found = text(await script(database, expected))
    for column, value in (("price", "1.239"), ("day", "'2020-01-01 10:11'"), ("label", "'too long'")):
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(f"TRUNCATE p; INSERT INTO p ({column}) VALUES ({value})".encode())

        assert f"would change values of public.p.{column}" in run_psql(found, database)

    sql(database, "TRUNCATE p; INSERT INTO p VALUES (1.5, '2020-01-01', 'short')")
    assert "" == run_psql(found, database)
    assert () == diff(expected, await objects(database))

"""Random drifts, adopted: the migration makes of the files' objects those of the database, and its rollback undoes it.

The drifts are those of test_repair_property.py, on tables without rows; a fault that this finds goes to FOUND.
"""

import asyncio
import os
import random
from collections.abc import Callable
from importlib import import_module
from typing import Any, LiteralString

import psycopg
import pytest
from objects import objects
from pg_dump import run_psql

from healthd.comparison.judgement import message
from healthd.config.settings import Target
from healthd.expected.lockfile import LockFile
from healthd.expected.store import Files
from healthd.model.snapshots import Difference, Place, Snapshot
from healthd.repair.adoption import Adoption, adoption
from healthd.replay.rehearsal import unlike
from healthd.rounds.conclusion import drift as drift_of
from integration.test_repair_property import OBJECTS
from integration.test_repair_property import drift as drift_at_random

CASES = 300 if os.environ.get("HEALTHD_PROFILE") == "matrix" else 6

examination: Any = import_module("healthd.rounds.examination")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.rounds.complete_reading.AGAIN_S", 0.0)


async def adopted(url: str, expected: Snapshot) -> tuple[Adoption, set[Place], Snapshot] | None:
    """Return the pair for a database, the differences that it adopts, and the objects; None if nothing differs."""
    target, files = (
        Target("app", url, deadline_s=60.0),
        Files(LockFile(expected.server_version, expected.objects, ()), ()),
    )
    found = await examination.examined(target, files)
    if found.reading is None:
        return None
    whole = drift_of(target, files, found.reading)
    pair = adoption(whole.expected, whole.actual, whole.differences)
    return pair, {one.place for one in whole.differences}, found.sides()[1]


async def run(url: str, text: str, *, transactional: bool) -> str:
    return await asyncio.to_thread(run_psql, f"BEGIN;\n{text}\nCOMMIT;" if transactional else text, url)


def words(found: dict[Place, Difference], of: set[Place], known: dict[Place, Difference]) -> list[str]:
    return [message(one) for place, one in found.items() if place in of or place not in known]


FOUND = {
    "a partition that was detached and has another column": """
        ALTER TABLE app.log DETACH PARTITION app.log_2020; ALTER TABLE app.log_2020 ADD COLUMN more integer""",
    "an index with another name on a type in another schema": """
        ALTER TYPE app.status SET SCHEMA public; ALTER INDEX app.open RENAME TO closed""",
    "an index on a column with another name": """
        CREATE INDEX ON app.customers (since); ALTER TABLE app.customers RENAME since TO other;
        ALTER TABLE app.customers ALTER other TYPE timestamp""",
    "a reference to a column with another name": """
        CREATE TABLE app.new (id integer REFERENCES app.customers);
        ALTER TABLE app.customers RENAME COLUMN id TO other""",
    "a view of a moved type and a renamed function": """
        ALTER TYPE app.status SET SCHEMA public; ALTER FUNCTION app.twice(integer) RENAME TO double;
        ALTER TABLE app.customers ALTER since TYPE timestamp""",
    "a changed index of a table with another name": """
        ALTER TYPE app.status RENAME VALUE 'sent' TO 'SENT'; ALTER TABLE app.orders RENAME TO elsewhere""",
    "a view of a table with another name": """
        ALTER TABLE app.orders RENAME TO elsewhere; CREATE VIEW app.notes AS SELECT e.note FROM app.elsewhere AS e""",
}


@pytest.mark.parametrize("drift", FOUND.values(), ids=FOUND.keys())
async def test_a_drift_that_random_changes_found_is_adopted(drift: LiteralString, make_database: Any) -> None:
    def change(connection: psycopg.Connection[Any]) -> list[str]:
        connection.execute(drift)
        return [drift]

    assert await adopts_and_undoes(make_database, change)


@pytest.mark.parametrize("seed", range(CASES))
async def test_a_drift_is_adopted_and_its_rollback_undoes_that(seed: int, make_database: Any) -> None:
    await adopts_and_undoes(make_database, lambda connection: drift_at_random(connection, random.Random(seed)))


async def adopts_statements(make_database: Any, drift: LiteralString, text: LiteralString = "") -> bool:
    """Check the pair for a drift in databases that are made with their objects; return as `adopts_and_undoes`."""

    def change(connection: psycopg.Connection[Any]) -> list[str]:
        connection.execute(drift)
        return [drift]

    return await adopts_and_undoes(make_database, change, text)


async def adopts_and_undoes(
    make_database: Any, change: Callable[[psycopg.Connection[Any]], list[str]], text: LiteralString = OBJECTS
) -> bool:
    """Check the pair for a change of a database with these objects; return whether there was anything to adopt."""
    changed, other = make_database(), make_database()
    with psycopg.connect(changed, autocommit=True) as connection, psycopg.connect(other, autocommit=True) as second:
        connection.execute(text)
        second.execute(text)
        expected = await objects(changed)
        done = change(connection)
    if (found := await adopted(changed, expected)) is None:
        return False
    pair, places, actual = found
    apply, rollback = pair.files("Adopt", ())

    applied = await run(other, apply, transactional=pair.transactional)
    after = await objects(other)
    undone = await run(other, rollback, transactional=pair.transactional)
    restored = await objects(other)
    again = await run(other, apply, transactional=pair.transactional)

    left = words(dict(unlike(actual, after, "postgres")), places, dict(unlike(actual, expected, "postgres")))
    wrong = words(dict(unlike(expected, restored, None)), set(), {})
    assert ("", [], "", [], "") == (applied, left, undone, wrong, again), (done, apply, rollback)
    return True

"""A file that releases the migration lock is refused where its text shows it; where it does not, nobody gets in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from runs import migrate

from healthd.errors import HealthdError, MigrationFailed
from healthd.expected.files import read_migrations
from healthd.migrations.standing import standing
from healthd.model.ledger import MIGRATION_LOCK, State
from healthd.sqltext.lock_releases import release

Sql = Callable[..., list[tuple[Any, ...]]]

HEADER = "-- transactional: false\n"
TAKE = "SELECT pg_try_advisory_lock(%s, %s)"
GATE = "pg_advisory_lock(7)"
LETS_GO = f"""
CREATE TABLE pay (i int);
CREATE FUNCTION let_go() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$;
CREATE FUNCTION let_go_and_wait() RETURNS void LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_advisory_unlock_all(); PERFORM {GATE}; END $$;
CREATE PROCEDURE let_go_outside() LANGUAGE plpgsql
    AS $$ BEGIN COMMIT; PERFORM pg_advisory_unlock_all(); PERFORM {GATE}; END $$;
"""
PATIENT = "SET lock_timeout = 0;\n"


@pytest.mark.parametrize(
    ("text", "transactional", "line", "what"),
    [
        ("SELECT 1;\nSELECT pg_advisory_unlock_all();", False, 2, "pg_advisory_unlock_all()"),
        ("SELECT 1,\n pg_catalog . pg_Advisory_Unlock_All ( );", False, 2, "pg_advisory_unlock_all()"),
        ("DO $$\nBEGIN\n  PERFORM pg_advisory_unlock_all();\nEND $$;", False, 3, "pg_advisory_unlock_all()"),
        ("DISCARD /* all of it */ ALL;", False, 1, "DISCARD ALL"),
        ("SELECT pg_advisory_unlock({}, {});".format(*MIGRATION_LOCK), False, 1, "pg_advisory_unlock()"),
        ("\nSELECT pg_terminate_backend(pg_backend_pid());", False, 2, "pg_terminate_backend()"),
        ("SELECT pg_terminate_backend(pg_backend_pid());", True, None, ""),  # nothing comes of it
        ("SELECT pg_terminate_backend(pg_catalog.pg_backend_pid());", False, 1, "pg_terminate_backend()"),
        ("SELECT pg_advisory_unlock_all();", True, None, ""),  # a lock of the transaction holds
        ("SELECT pg_advisory_lock(7);\nSELECT pg_advisory_unlock(7);", False, None, ""),
        ("SELECT 'pg_advisory_unlock_all()'; -- pg_advisory_unlock_all()", False, None, ""),
        ("DO $$ BEGIN /* pg_advisory_unlock_all() */ END $$;", False, None, ""),
        ("SELECT app.pg_advisory_unlock_all();\nSELECT my_pg_advisory_unlock_all();", False, None, ""),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_unlock_all() $$;", False, None, ""),
        ("DISCARD TEMP;\nDISCARD PLANS;", False, None, ""),
    ],
)
def test_what_releases_the_lock_is_found_in_the_text(
    text: str, transactional: bool, line: int | None, what: str
) -> None:
    found = release(text, transactional=transactional)

    assert line == (found and found[0])
    assert found is None or found[1].startswith(what)


async def test_a_file_that_releases_the_lock_is_refused_before_anything_runs(
    database: str, tmp_path: Path, sql: Sql
) -> None:
    (tmp_path / "1.sql").write_text("CREATE TABLE a ();")
    (tmp_path / "2.sql").write_text(f"{HEADER}SELECT 1;\nSELECT pg_advisory_unlock_all();")
    with pytest.raises(MigrationFailed) as caught:
        await migrate(database, read_migrations([tmp_path]), None, say=lambda _: None)

    assert str(caught.value).startswith("2.sql, line 3: pg_advisory_unlock_all() releases the migration lock: ")
    assert [] == sql(database, "SELECT 1 FROM pg_class WHERE relname = 'a'")


async def waits(url: str, sql: Sql) -> None:
    """Wait until somebody waits at the gate."""
    end = time.monotonic() + 120
    query = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 7"
    while not await asyncio.to_thread(sql, url, query):
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


FORMS = {
    "whole": f"{PATIENT}SELECT pg_advisory_unlock_all();\nSELECT {GATE};",
    "between": f"{HEADER}{PATIENT}SELECT let_go();\nSELECT {GATE};",
    "within": f"{HEADER}{PATIENT}SELECT let_go_and_wait();",
    "outside": f"{HEADER}{PATIENT}CALL let_go_outside();",
}


@pytest.mark.parametrize("form", list(FORMS))
async def test_no_second_runner_gets_in_while_a_file_that_has_released_the_lock_runs(
    database: str, tmp_path: Path, sql: Sql, form: str
) -> None:
    sql(database, LETS_GO)
    (tmp_path / "1.sql").write_text(f"{FORMS[form]}\nINSERT INTO pay VALUES (1);")
    migrations = read_migrations([tmp_path])
    with psycopg.connect(database, autocommit=True) as other:
        other.execute(f"SELECT {GATE}")
        first = asyncio.create_task(migrate(database, migrations, None, say=lambda _: None))
        await waits(database, sql)
        stand = await standing(database, migrations, None)
        with pytest.raises(HealthdError) as caught:
            await migrate(database, migrations, None, say=lambda _: None, wait_s=0.2)
        other.execute("SELECT pg_advisory_unlock(7)")

    assert ("1",) == await first
    assert State.PENDING is stand.migrations[0].state
    assert "is running migrations" in (stand.maintenance or "")
    held = {"outside": "1 is still being run by healthd/"}.get(form, "the migration lock is held by healthd/")
    assert held in str(caught.value)
    assert [(1,)] == sql(database, "SELECT i FROM pay")
    assert State.APPLIED is (await standing(database, migrations, None)).migrations[0].state


async def test_a_runner_whose_lock_was_taken_by_another_stops(database: str, tmp_path: Path, sql: Sql) -> None:
    sql(database, LETS_GO)
    (tmp_path / "1.sql").write_text(f"{FORMS['outside']}\nINSERT INTO pay VALUES (1);")
    migrations = read_migrations([tmp_path])
    with psycopg.connect(database, autocommit=True) as other:
        other.execute(f"SELECT {GATE}")
        first = asyncio.create_task(migrate(database, migrations, None, say=lambda _: None))
        await waits(database, sql)

        assert [(True,)] == other.execute(TAKE, MIGRATION_LOCK).fetchall()
        other.execute("SELECT pg_advisory_unlock(7)")
        with pytest.raises(MigrationFailed) as caught:
            await first
    assert "1.sql released the migration lock, and another session has acquired it" in str(caught.value)
    assert [] == sql(database, "SELECT i FROM pay")
    assert State.INTERRUPTED is (await standing(database, migrations, None)).migrations[0].state


async def test_a_ledger_of_before_learns_who_runs(database: str, tmp_path: Path, sql: Sql) -> None:
    (tmp_path / "1.sql").write_text("SELECT 1;")
    await migrate(database, read_migrations([tmp_path]), None, say=lambda _: None)
    sql(database, "ALTER TABLE _healthd_progress DROP COLUMN runner_pid, DROP COLUMN runner_since")
    runs = "SELECT count(*) FROM _healthd_progress WHERE runner_pid = pg_backend_pid() AND runner_since < now()"
    (tmp_path / "2.sql").write_text(f"{HEADER}SELECT 1;\nDO $$ BEGIN RAISE 'runs: %', ({runs}); END $$;")
    with pytest.raises(MigrationFailed, match="runs: 1"):
        await migrate(database, read_migrations([tmp_path]), None, say=lambda _: None)

    assert [(None, None)] == sql(database, "SELECT runner_pid, runner_since FROM _healthd_progress"), "it has given up"

"""A migration that must wait holds up nobody for long, says who is in the way, and comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from runs import migrate

from healthd.database.blocking_sessions import blocker, lock_words, progress
from healthd.errors import MigrationFailed
from healthd.expected.files import read_migrations
from healthd.migrations.engine.lock_waits import Patience, pause_s

Sql = Callable[..., list[tuple[Any, ...]]]

HEADER = "-- transactional: false\n"
ALTER = "ALTER TABLE t ADD b int;"


def silent(_: str) -> None:
    pass


async def running(url: str, folder: Path, said: list[str], patience: Patience) -> object:
    return await migrate(url, read_migrations([folder]), None, say=said.append, patience=patience)


async def until(question: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + 60
    while not await asyncio.to_thread(question):
        assert time.monotonic() < end, what
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("header", ["", HEADER], ids=["whole", "steps"])
async def test_readers_pass_while_a_migration_waits_and_it_comes_in_the_end(
    database: str, tmp_path: Path, sql: Sql, header: str
) -> None:
    sql(database, "CREATE TABLE t (a int)")
    (tmp_path / "m.sql").write_text(f"{header}{ALTER}")
    said: list[str] = []
    with psycopg.connect(database, application_name="orders-api") as old:
        old.execute("SELECT * FROM t WHERE a::text = 'secret'")
        run = asyncio.create_task(running(database, tmp_path, said, Patience(lock_timeout_s=1.4)))
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
        await until(lambda: sql(database, waits), "it never waited")
        with psycopg.connect(database) as reader:  # behind it in the queue
            await asyncio.to_thread(reader.execute, "SELECT * FROM t")
        await until(lambda: any("attempt 2" in line for line in said), f"it never tried again: {said}")
        await until(lambda: any("blocked by" in line for line in said), f"it never told who: {said}")
    await run

    assert [] == sql(database, "SELECT b FROM t")
    (blocked,) = [line for line in said if "blocked by" in line][:1]
    assert "waits for ACCESS EXCLUSIVE on t: blocked by process " in blocked
    assert "(orders-api, user postgres, in a transaction for " in blocked
    assert "idle): SELECT * FROM t WHERE a::text = '…'" in blocked


@pytest.mark.parametrize("lock_timeout_s", [0.05, 0.0])  # to PostgreSQL, 0 is without end
async def test_a_run_that_may_wait_no_longer_says_who_was_in_the_way_and_changed_nothing(
    database: str, tmp_path: Path, sql: Sql, lock_timeout_s: float
) -> None:
    sql(database, "CREATE TABLE t (a int)")
    (tmp_path / "m.sql").write_text(ALTER)
    with psycopg.connect(database) as old:
        old.execute("SELECT * FROM t")
        with pytest.raises(MigrationFailed) as caught:
            await running(database, tmp_path, [], Patience(lock_timeout_s=lock_timeout_s, max_wait_s=0.0))

    assert "canceling statement due to lock timeout (55P03), statement 1: ALTER TABLE t ADD b int" in str(caught.value)
    assert "nothing was changed; tried 1 time in 0 s" in str(caught.value)


async def test_an_index_whose_build_is_refused_a_lock_is_cleared_away_before_the_next_try(
    database: str, tmp_path: Path, sql: Sql
) -> None:
    sql(database, "CREATE TABLE t (a int)")
    (tmp_path / "m.sql").write_text(f"{HEADER}SET lock_timeout = '50ms';\nCREATE INDEX CONCURRENTLY i ON t (a);")
    said: list[str] = []
    with psycopg.connect(database) as old:
        old.execute("INSERT INTO t VALUES (1)")
        run = asyncio.create_task(running(database, tmp_path, said, Patience()))
        drops = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DROP INDEX%%' AND wait_event_type = 'Lock'"
        await until(lambda: sql(database, drops), f"it never cleared away: {said}")
    await run

    assert any("lock not available, attempt 2" in line for line in said)
    assert [("i", True)] == sql(
        database, "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 't'::regclass"
    )


async def test_what_runs_concurrently_and_may_not_wait_ends(database: str, tmp_path: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (a int)")
    (tmp_path / "m.sql").write_text(f"{HEADER}CREATE INDEX CONCURRENTLY i ON t (a);")
    with psycopg.connect(database) as old:
        old.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(MigrationFailed, match="55P03"):
            await running(database, tmp_path, [], Patience(max_wait_s=0.0))


async def test_what_runs_concurrently_waits_longer_than_one_lock_may(database: str, tmp_path: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (a int)")
    (tmp_path / "m.sql").write_text(f"{HEADER}CREATE INDEX CONCURRENTLY i ON t (a);")
    said: list[str] = []
    waits = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%%' AND wait_event_type = 'Lock'"
    with psycopg.connect(database) as old:
        old.execute("INSERT INTO t VALUES (1)")
        run = asyncio.create_task(running(database, tmp_path, said, Patience(lock_timeout_s=0.05)))
        await until(lambda: sql(database, waits), "it never waited")
        await asyncio.sleep(0.3)
    await run

    assert not [line for line in said if "attempt" in line]


async def test_a_lock_timeout_of_the_database_is_left_as_it_is(database: str, tmp_path: Path, sql: Sql) -> None:
    sql(
        database,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET lock_timeout = ''7s''', current_database()); END $$",
    )
    (tmp_path / "m.sql").write_text("CREATE TABLE t AS SELECT current_setting('lock_timeout') AS a;")
    await migrate(database, read_migrations([tmp_path]), None, say=silent)

    assert [("7s",)] == sql(database, "SELECT a FROM t")


def test_words() -> None:
    assert "ACCESS EXCLUSIVE" == lock_words("AccessExclusiveLock")
    assert "a lock" == lock_words(None)
    assert "process 7 (unknown)" == blocker(7, None, None, None, None, "")
    assert "index on t: building index, 40%" == progress("building index", 4, 10, 0, 0, "t")[0]
    assert 8.0 >= pause_s(30) >= 4.0
    assert 8.0 >= pause_s(100_000) >= 4.0  # --max-wait may be days


async def test_how_far_an_index_is_on_a_table_that_nobody_sees_yet_is_not_told(
    database: str, tmp_path: Path, sql: Sql
) -> None:
    slow = "CREATE FUNCTION slow(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
    sql(database, f"{slow} $$ BEGIN PERFORM pg_sleep(3); RETURN a; END $$; CREATE TABLE there AS SELECT 1 AS a")
    (tmp_path / "m.sql").write_text(
        "CREATE TABLE fresh AS SELECT 1 AS a;\nCREATE INDEX ON fresh (slow(a));\nCREATE INDEX ON there (slow(a));"
    )
    said: list[str] = []
    await running(database, tmp_path, said, Patience())

    assert {"there"} == {line.split()[2].rstrip(":") for line in said if line.startswith("index on ")}

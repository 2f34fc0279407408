"""A migration that is running is seen from outside: its file, its statement, what it waits for, and its index."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from runs import migrate

from healthd.config.settings import Target
from healthd.database.dsn import Dsn
from healthd.expected.files import read_migrations
from healthd.expected.store import Files
from healthd.migrations.engine.lock_waits import Patience
from healthd.model.findings import Report
from healthd.model.ledger import MIGRATION_LOCK
from healthd.model.running import RunningMigration
from healthd.rounds.examination import examine, examine_again
from healthd.rounds.round import Round

Sql = Callable[..., list[tuple[Any, ...]]]
ROLE = """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{0}') THEN CREATE ROLE {0} LOGIN; END IF;
    END $$;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO {0};
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {0};"""
BLIND, SEEING = "running_blind", "running_seeing"
STEPS = "-- transactional: false\n"


@pytest.fixture(autouse=True)
def _no_pause_before_confirming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.rounds.complete_reading.AGAIN_S", 0.0)


@pytest.fixture
def target(url: str, sql: Sql) -> Target:
    """What healthd watches, with a role that may not see the sessions of others."""
    sql(url, ROLE.format(BLIND))
    sql(url, ROLE.format(SEEING))
    sql(url, f"GRANT pg_read_all_stats TO {SEEING}; CREATE TABLE t (a int)")
    return Target("machines", psycopg.conninfo.make_conninfo(url, user=BLIND))


def seeing(target: Target) -> Target:
    return replace(target, dsn=psycopg.conninfo.make_conninfo(Dsn.of(target.dsn).text, user=SEEING))


@contextmanager
def busy(url: str) -> Iterator[psycopg.Connection[Any]]:
    """An application whose transaction stays open."""
    with psycopg.connect(url, application_name="orders-api") as old:
        old.execute("INSERT INTO t VALUES (47); SELECT * FROM t WHERE a = 4711 AND a::text <> 'secret'")
        yield old


@asynccontextmanager
async def running(url: str, folder: Path, patience: Patience) -> AsyncIterator[None]:
    """A run of the files of a folder, while the block runs; it must end after that."""
    files = read_migrations([folder])
    run = asyncio.create_task(migrate(url, files, None, say=lambda _: None, patience=patience, allow_ahead=True))
    try:
        yield
    except BaseException:
        run.cancel()
        raise
    await asyncio.wait_for(run, 60)


async def seen(
    look: Callable[[], Awaitable[Report]], wanted: Callable[[RunningMigration], object]
) -> tuple[Report, RunningMigration]:
    """Return the first report with a migration that is as wanted."""
    end, last = time.monotonic() + 10, None
    while time.monotonic() < end:
        report = await look()
        last = report.running
        if last is not None and wanted(last):
            return report, last
        await asyncio.sleep(0.02)
    raise AssertionError(f"it was never seen so: {last}")


PATIENT = Patience(lock_timeout_s=60.0)


async def test_a_blocked_migration_is_seen_with_its_file_and_who_blocks_it(
    url: str, target: Target, known: Files, tmp_path: Path
) -> None:
    (tmp_path / "0042_wide.sql").write_text("ALTER TABLE t ADD b int;")
    with busy(url) as old:
        async with running(url, tmp_path, PATIENT):
            report, found = await seen(lambda: examine(seeing(target), known), lambda one: one.waits_for)
            hidden, blind = await seen(lambda: examine(target, known), lambda one: one.waits_for)
            pid = old.info.backend_pid
            old.rollback()

    for one in (found, blind):
        assert ("0042_wide", "postgres", None) == (one.file, one.user, one.statement)
        assert "ACCESS EXCLUSIVE on public.t" == one.waits_for
        assert (one.waits, one.pauses, 1, 1) == (True, False, one.blocker_count, len(one.blockers))
        assert f"process {pid} (orders-api, user postgres" in one.blockers[0]
    assert found.application.startswith("healthd/")
    assert " " not in found.application
    assert found.connected_at is not None
    assert found.statement_at is not None
    assert found.grant is None
    assert ", in a transaction for " in found.blockers[0]
    assert found.blockers[0].endswith(", idle): INSERT INTO t VALUES (…); SELECT * FROM t WHERE a = … AND a…")
    assert f"{found.application} (server process {found.pid}) is running migrations" == report.maintenance
    assert (None, None, f"GRANT pg_read_all_stats TO {BLIND};") == (blind.connected_at, blind.statement_at, blind.grant)
    assert "INSERT" not in str(blind)
    assert not [one for one in hidden.findings if one.attribute is None and "lock" in one.problem]


async def test_a_runner_that_healthd_may_see_and_a_blocking_session_that_it_may_not(
    url: str, target: Target, known: Files
) -> None:
    with (
        psycopg.connect(Dsn.of(target.dsn).text, autocommit=True) as runner,
        psycopg.connect(url, autocommit=True) as other,
    ):
        runner.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        other.execute("SELECT pg_advisory_lock(7)")
        waiting = asyncio.create_task(asyncio.to_thread(runner.execute, "SELECT pg_advisory_lock(7)"))
        _, found = await seen(lambda: examine(target, known), lambda one: one.waits)
        other.execute("SELECT pg_advisory_unlock(7)")
        await asyncio.wait_for(waiting, 60)

    assert found.connected_at is not None
    assert f"GRANT pg_read_all_stats TO {BLIND};" == found.grant
    assert f"not all of it is visible to healthd: {found.grant}" in found.details


async def test_a_runner_between_two_attempts_is_seen_to_wait(
    url: str, target: Target, known: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("healthd.migrations.engine.session.pause_s", lambda _: 3.0)
    (tmp_path / "0042_wide.sql").write_text("ALTER TABLE t ADD b int;")
    with busy(url) as old:
        async with running(url, tmp_path, Patience(lock_timeout_s=0.01)):
            _, found = await seen(lambda: examine(target, known), lambda one: one.pauses)
            old.rollback()

    assert (True, None, "0042_wide") == (found.waits, found.waits_for, found.file)
    assert "could not get a lock, and is about to try again" in found.details


async def test_an_index_that_waits_for_a_transaction_is_seen_with_its_phase_and_statement(
    url: str, target: Target, known: Files, tmp_path: Path
) -> None:
    (tmp_path / "0042_i.sql").write_text(
        f"{STEPS}CREATE TABLE u ();\nCREATE INDEX CONCURRENTLY i ON t (a);\nDROP TABLE u;"
    )
    with busy(url) as old:
        async with running(url, tmp_path, PATIENT):
            _, found = await seen(lambda: examine(seeing(target), known), lambda one: one.index and one.blockers)
            _, blind = await seen(lambda: examine(target, known), lambda one: one.waits_for)
            old.rollback()

    assert ("0042_i", 2, 3) == (found.file, found.statement, found.statements)
    assert "the end of a transaction" == found.waits_for
    assert found.index is not None
    assert ("waiting for writers before build", 0.0) == (found.index.phase, found.index.share)
    assert "index on public.t: waiting for writers before build, 0 of 1 transactions have finished" in found.details
    assert ("0042_i", 2, "the end of a transaction") == (blind.file, blind.statement, blind.waits_for)
    assert blind.index is None
    assert blind.grant is not None


async def test_quiet_rounds_follow_a_migration_to_its_end(url: str, target: Target, known: Files, sql: Sql) -> None:
    """Nothing is committed meanwhile, so that nothing but the migration is read again."""
    last: Round | None = None

    async def look() -> Report:
        nonlocal last
        last = await examine_again(seeing(target), known, last)
        return last.report

    assert (await look()).running is None
    with (
        psycopg.connect(url, autocommit=True, application_name="deploy-7") as runner,
        psycopg.connect(url, autocommit=True) as other,
    ):
        runner.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        other.execute("SELECT pg_advisory_lock(7)")
        _, idle = await seen(look, lambda _: True)
        waiting = asyncio.create_task(asyncio.to_thread(runner.execute, "SELECT pg_advisory_lock(7)"))
        _, blocked = await seen(look, lambda one: one.waits)
        other.execute("SELECT pg_advisory_unlock(7)")
        await asyncio.wait_for(waiting, 60)
        _, free = await seen(look, lambda one: not one.waits)
    ended = await look()
    if last is not None:
        await last.close()

    assert (idle.waits, idle.application, idle.file) == (False, "deploy-7", None)
    assert ("a lock (advisory)", 1) == (blocked.waits_for, blocked.blocker_count)
    assert free == replace(idle, statement_at=free.statement_at)
    assert (None, None) == (ended.running, ended.maintenance)


async def test_a_session_that_holds_the_lock_is_shown_without_a_file(url: str, target: Target, known: Files) -> None:
    with psycopg.connect(url, autocommit=True, application_name="psql") as runner:
        runner.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        report, pid = await examine(target, known), runner.info.backend_pid

    assert report.running is not None
    assert ("psql", None, False, ()) == (
        report.running.application,
        report.running.file,
        report.running.waits,
        report.running.blockers,
    )
    assert f"psql (server process {pid}) is running migrations" == report.maintenance


async def test_of_a_rejected_query_nothing_but_its_answer_is_missing(
    url: str, target: Target, known: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("healthd.database.probes.running_migration.WAITS", "SELECT 1 / 0, %(pid)s::int, %(since)s")
    with psycopg.connect(url, autocommit=True) as runner:
        runner.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        report = await examine(target, known)

    assert (None, None) == (report.running, report.failure)
    assert report.maintenance


async def test_without_a_migration_nothing_is_asked(target: Target, known: Files) -> None:
    report = await examine(target, known)

    assert (None, None) == (report.running, report.maintenance)
    assert "running" not in dict(report.questions)


async def test_the_name_of_a_file_is_gone_after_it(database: str, tmp_path: Path, sql: Sql) -> None:
    """Neither the next file nor the ledger is written under the name of another one."""
    name = "current_setting('application_name')"
    (tmp_path / "1_a.sql").write_text(f"CREATE TABLE names AS SELECT 1 AS a, {name} AS b;")
    (tmp_path / "2_b.sql").write_text(
        f"{STEPS}INSERT INTO names SELECT 2, {name};\nINSERT INTO names SELECT 3, {name};"
    )
    (tmp_path / f"3_{'x' * 70}.sql").write_text(f"INSERT INTO names SELECT 4, {name};")
    (tmp_path / "4_ö;'.sql").write_text(f"INSERT INTO names SELECT 5, {name};")
    await migrate(database, read_migrations([tmp_path]), None, say=lambda _: None)

    found = [text for (text,) in sql(database, "SELECT b FROM names ORDER BY a")]
    assert ["1_a", "2_b", "2_b", "4_???"] == [found[number].partition(" ")[2] for number in (0, 1, 2, 4)]
    assert 63 == len(found[3])
    assert found[3].endswith("xx")


async def test_a_name_that_the_connection_string_gives_is_left(database: str, tmp_path: Path, sql: Sql) -> None:
    named = psycopg.conninfo.make_conninfo(database, application_name="deploy-7")
    (tmp_path / "1_a.sql").write_text("CREATE TABLE names AS SELECT current_setting('application_name') AS b;")
    await migrate(named, read_migrations([tmp_path]), None, say=lambda _: None)

    assert [("deploy-7",)] == sql(database, "SELECT b FROM names")

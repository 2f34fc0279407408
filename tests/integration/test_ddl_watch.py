"""The DDL watch on a real server: what notifies whom, what it leaves alone, and when a daemon's rounds begin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from conftest import BINARIES, MakeDatabase, Sql
from pooler import pooled

from healthd.config.settings import Settings, Target
from healthd.daemon.loop import Watch
from healthd.database.connection import connect
from healthd.database.notifications import POOLER, listen
from healthd.database.probes.ddl_watch import probe_watch
from healthd.database.snapshot.reading import take_snapshot
from healthd.expected.ddl_watch import APPLY, ROLLBACK
from healthd.model.ddl_watch import CHANNEL, State, is_installed
from healthd.model.snapshots import diff
from healthd.postgres import embedded
from integration.test_turns import examined, settings, watching  # noqa: F401 # the fixture

LONG_S = 600.0  # an interval in which no round begins by itself
QUIET_S = 1.5  # in which a round would have begun


@pytest.fixture(scope="session")
def watched_template(shipped: str, template_of: Callable[..., str]) -> str:
    """The name of a database with sql/ and the watch."""
    return template_of(APPLY, shipped)


@pytest.fixture
def watched(watched_template: str, make_database: MakeDatabase) -> str:
    """The URL of a database with sql/ and the watch."""
    return make_database(watched_template)


# ── what the event triggers do ──────────────────────────────────────────────────────────────────────────


def heard(url: str, *statements: str, role: str = "") -> int:
    """Return how many notifications arrive when a session runs these statements, each as one message."""
    with psycopg.connect(url, autocommit=True) as listener, psycopg.connect(url, autocommit=True) as session:
        listener.execute(f"LISTEN {CHANNEL}".encode())
        if role:
            session.execute(f"SET ROLE {role}".encode())
        for statement in statements:
            session.execute(statement.encode())
        # What is sent later arrives later.
        session.execute("RESET ROLE")
        session.execute(f"NOTIFY {CHANNEL}, 'end'".encode())
        count = 0
        for notification in listener.notifies():
            if notification.payload == "end":
                break
            assert notification.payload == ""
            count += 1
        return count


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.t (a integer)",
        "ALTER TABLE public.machines ADD COLUMN extra integer",
        "ALTER TABLE public.machines DROP COLUMN notes",
        "ALTER TYPE public.machinestatus ADD VALUE 'more'",
        "DROP TABLE public.machines",
        "GRANT SELECT ON public.machines TO pg_monitor",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor",
        "COMMENT ON TABLE public.machines IS 'x'",
        "CREATE POLICY p ON public.machines",
        "CREATE PUBLICATION p",
        "CREATE OR REPLACE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "SELECT 1 AS a INTO public.t",
        "DROP SCHEMA public CASCADE",
        "BEGIN; CREATE TABLE public.t (a integer); DROP TABLE public.t; CREATE TABLE public.t (a integer); COMMIT",
    ],
)
def test_a_change_of_the_schema_notifies_once(statement: str, watched: str) -> None:
    assert 1 == heard(watched, statement)


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TEMP TABLE t (a serial PRIMARY KEY)", "CREATE INDEX ON t (a)", "ALTER TABLE t ADD b text"),
        ("CREATE TEMP TABLE t (a integer)", "DROP TABLE t"),
        ("SELECT 1 AS a INTO TEMP t",),
        ("CREATE TABLE IF NOT EXISTS public.machines (a integer)", "DROP TABLE IF EXISTS public.nosuch"),
        ("BEGIN; CREATE TABLE public.t (a integer); ROLLBACK",),
        ("TRUNCATE public.machines", "ANALYZE", "VACUUM"),
        ("CREATE ROLE watch_role", "DROP ROLE watch_role"),
    ],
)
def test_what_is_no_change_of_the_schema_notifies_nobody(statements: tuple[str, ...], watched: str) -> None:
    assert 0 == heard(watched, *statements)


def test_a_refreshed_view_notifies_nobody(watched: str, sql: Sql) -> None:
    sql(watched, "CREATE MATERIALIZED VIEW public.v AS SELECT 1 AS a")

    assert 0 == heard(watched, "REFRESH MATERIALIZED VIEW public.v", "REINDEX TABLE public.machines")


@pytest.fixture
def poor(watched: str, sql: Sql) -> Iterator[str]:
    """A role that may create tables in one schema and nothing else."""
    sql(watched, "CREATE ROLE watch_poor")
    sql(watched, "CREATE SCHEMA poor AUTHORIZATION watch_poor")
    yield "watch_poor"
    sql(watched, "DROP OWNED BY watch_poor CASCADE")
    sql(watched, "DROP ROLE watch_poor")


def test_a_role_without_privileges_runs_ddl_and_notifies(watched: str, poor: str) -> None:
    assert 2 == heard(watched, "CREATE TABLE poor.t (a integer)", "DROP TABLE poor.t", role=poor)


def test_ddl_does_not_fail_where_the_function_does(watched: str, poor: str, sql: Sql) -> None:
    sql(watched, "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_notify(text, text) FROM PUBLIC")

    assert 0 == heard(watched, "CREATE TABLE poor.t (a integer)", role=poor)
    assert sql(watched, "SELECT to_regclass('poor.t') IS NOT NULL") == [(True,)]


def test_nobodys_functions_take_the_place_of_ours(watched: str, sql: Sql) -> None:
    sql(watched, "CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT 1/0'")
    sql(
        watched,
        "ALTER ROLE CURRENT_USER IN DATABASE {} SET search_path = public, pg_catalog".format(
            psycopg.conninfo.conninfo_to_dict(watched)["dbname"]
        ),
    )

    assert 1 == heard(watched, "CREATE TABLE public.t (a integer)")


async def test_the_rollback_leaves_nothing(url: str, sql: Sql) -> None:
    async with connect(url) as connection:
        before = await take_snapshot(connection)
        sql(url, APPLY)
        between = await take_snapshot(connection)
        sql(url, ROLLBACK)
        after = await take_snapshot(connection)

    assert is_installed(between.objects)
    assert not is_installed(before.objects)
    assert () == diff(before, after)


# ── two-phase commit ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def preparing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with the watch, on a server where transactions can be prepared."""
    folder = tmp_path_factory.mktemp("preparing")
    allowed = {**embedded.THROW_AWAY, "max_prepared_transactions": "2"}
    with embedded.start(folder / "data", binaries=BINARIES, durable=False, settings=allowed) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(APPLY.encode())
        yield server.url()


def test_ddl_can_be_prepared_where_the_server_allows_it(preparing: str) -> None:
    assert 0 == heard(
        preparing, "BEGIN; CREATE TABLE public.t (a integer); PREPARE TRANSACTION 'x'", "COMMIT PREPARED 'x'"
    )


def test_a_notification_would_forbid_it(preparing: str) -> None:
    """The reason for the condition in the function."""
    with psycopg.connect(preparing, autocommit=True) as connection:
        connection.execute("BEGIN")
        connection.execute(f"NOTIFY {CHANNEL}".encode())

        with pytest.raises(psycopg.errors.FeatureNotSupported):
            connection.execute("PREPARE TRANSACTION 'y'")


async def test_the_state_says_that_nothing_is_sent(preparing: str) -> None:
    async with connect(preparing) as connection:
        found = await probe_watch(connection, kept=True)

    assert State.SILENT == found.state
    assert "max_prepared_transactions is 2" in found.reason


# ── the state ───────────────────────────────────────────────────────────────────────────────────────────


async def state_of(url: str, *, kept: bool = True) -> State:
    async with connect(url) as connection:
        return (await probe_watch(connection, kept=kept)).state


async def test_the_state_is_what_is_there(watched: str, url: str, sql: Sql) -> None:
    assert State.NOT_INSTALLED == await state_of(url)
    assert State.EFFECTIVE == await state_of(watched)
    assert State.NOT_RECEIVED == await state_of(watched, kept=False)
    sql(watched, "ALTER EVENT TRIGGER healthd_ddl_drop DISABLE")
    assert State.NOT_INSTALLED == await state_of(watched)


async def test_a_pooler_is_recognized(watched: str, server: embedded.Server) -> None:
    with pooled(server, watched, "transaction") as behind:
        async with connect(behind) as connection:
            assert POOLER == (await listen(connection)).refused


# ── the daemon ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def daemon(settings: Settings, watched: str) -> AsyncIterator[Watch]:  # noqa: F811 # the fixture
    """A daemon that listens to one target, and has no other reason for a round for a long time."""
    async with watching(settings, Target("app", watched, interval_s=LONG_S, deadline_s=60.0)) as watch:
        await until(
            lambda: watch.board.entries["app"].runs >= 2
        )  # the second one sees what happened before it listened
        yield watch


def reported(watch: Watch) -> set[str]:
    """Return the objects in the present report."""
    report = watch.board.entries["app"].report
    return set() if report is None else {str(finding.key) for finding in report.findings}


async def until(condition: Callable[[], Any], timeout_s: float = 30.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 # there is no event
            await asyncio.sleep(0.01)


async def test_ddl_begins_a_round(daemon: Watch, watched: str, sql: Sql) -> None:
    assert "table:public.extra" not in reported(daemon)

    sql(watched, "CREATE TABLE public.extra (a integer)")
    await until(lambda: "table:public.extra" in reported(daemon))
    sql(watched, "DROP TABLE public.extra")
    await until(lambda: "table:public.extra" not in reported(daemon))


async def test_the_script_follows_the_report(daemon: Watch, watched: str, sql: Sql) -> None:
    sql(watched, "CREATE TABLE public.extra (a integer)")

    def script() -> str:
        report = daemon.board.entries["app"].report
        return "" if report is None else "\n".join(one.sql for one in report.script)

    await until(lambda: "table:public.extra" in reported(daemon))
    await until(lambda: "public.extra" in script())


async def test_a_burst_makes_few_rounds_and_the_last_one_sees_all(daemon: Watch, watched: str, sql: Sql) -> None:
    before = daemon.board.entries["app"].runs
    async with connect(watched) as session:
        for number in range(50):
            await session.execute(f"CREATE TABLE public.extra_{number} (a integer)".encode())
    await until(lambda: "table:public.extra_49" in reported(daemon))

    assert daemon.board.entries["app"].runs - before <= 10


async def test_a_lost_connection_is_opened_again_and_listens(daemon: Watch, watched: str, sql: Sql) -> None:
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'healthd/%'"
    runs = daemon.board.entries["app"].runs

    sql(watched, f"{end} AND datname = current_database()")
    await until(lambda: daemon.board.entries["app"].runs > runs)
    assert {} == dict(daemon.board.entries["app"].failures)
    sql(watched, "CREATE TABLE public.extra (a integer)")
    await until(lambda: "table:public.extra" in reported(daemon))


async def test_a_connection_that_is_given_up_is_no_reason_for_a_round(daemon: Watch, watched: str, sql: Sql) -> None:
    (connection,) = daemon.places.resting
    runs = daemon.board.entries["app"].runs

    daemon.places.take(connection)
    await connection.close()
    sql(watched, "CREATE TABLE public.extra (a integer)")
    await asyncio.sleep(QUIET_S)

    assert runs == daemon.board.entries["app"].runs


async def test_a_database_without_the_watch_is_not_listened_to(
    settings: Settings,  # noqa: F811 # the fixture
    url: str,
    sql: Sql,
) -> None:
    async with watching(settings, Target("app", url, interval_s=LONG_S, deadline_s=60.0)) as watch:
        await examined(watch, 1)
        assert {} == watch.pauses.logged


async def test_where_many_targets_share_a_server_nobody_listens(
    settings: Settings,  # noqa: F811 # the fixture
    watched_template: str,
    make_database: MakeDatabase,
) -> None:
    targets = [Target(f"t{one}", make_database(watched_template), interval_s=LONG_S, deadline_s=60) for one in range(5)]
    async with watching(settings, *targets) as watch:
        await examined(watch, 1)

        assert {} == watch.places.resting
        assert {} == watch.pauses.logged


async def test_behind_a_pooler_rounds_go_on_and_it_is_logged_once(
    settings: Settings,  # noqa: F811 # the fixture
    watched: str,
    server: embedded.Server,
) -> None:
    with pooled(server, watched, "transaction") as behind:
        async with watching(settings, Target("app", behind, interval_s=0.1, deadline_s=60.0)) as watch:
            await examined(watch, 4)

            assert {"app": POOLER} == watch.pauses.logged
            assert {} == dict(watch.board.entries["app"].failures)


async def test_the_place_of_a_removed_target_is_forgotten(daemon: Watch) -> None:
    assert {"app": ""} == daemon.pauses.logged

    daemon.follow(replace(daemon.settings, targets=()))

    assert ({}, {}) == (daemon.pauses.logged, daemon.pauses.bursts)

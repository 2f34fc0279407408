"""Targets on a server that admits few connections take turns; where no place comes free, the error says why."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from acceptance.test_cli import healthd, make_project
from conftest import MakeDatabase, Sql

from healthd.config.reader import read_settings
from healthd.config.settings import Settings, Target
from healthd.daemon.alertmanager import Alertmanagers
from healthd.daemon.loop import Watch
from healthd.daemon.rehearsals import Rehearsals
from healthd.daemon.state import Memory
from healthd.daemon.target_files import WrongFiles
from healthd.daemon.turns import FIRST, MOST, Turn, Turns
from healthd.database.connection import dial
from healthd.database.dsn import Dsn
from healthd.database.idle_connections import Places
from healthd.errors import DatabaseUnreachable
from healthd.expected.store import Files, read_files
from healthd.postgres.embedded import Server
from healthd.report.board import Board
from healthd.rounds.examination import examine_again
from healthd.rounds.round import Round

ROLE = "few_connections"
MANY = MOST + 4  # more databases than backends may be busy with
SQL = Path(__file__).parents[2] / "sql"


@dataclass(frozen=True)
class Fleet:
    """Seven databases, seen by a role that may have three connections to all of them together."""

    folder: Path
    urls: tuple[str, ...]


@pytest.fixture(scope="module")
def owners(
    server: Server, _administrator: psycopg.Connection, migrated_template: str, template_of: Callable[..., str]
) -> Iterator[tuple[str, ...]]:
    """The URLs of these databases for their owner; they are only read."""
    _administrator.execute(f"CREATE ROLE {ROLE} LOGIN CONNECTION LIMIT 3")
    grant = f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ROLE}"
    owners = tuple(server.url(template_of(grant, migrated_template, owner=f"fleet{one}")) for one in range(7))
    yield owners
    for url in owners:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {ROLE}")
    _administrator.execute(f"DROP ROLE {ROLE}")


@pytest.fixture
def fleet(
    tmp_path: Path, owners: tuple[str, ...], _administrator: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fleet]:
    monkeypatch.chdir(folder := make_project(tmp_path / "project"))
    urls = tuple(url.replace("postgres@", f"{ROLE}@") for url in owners)
    sections = (f"[target t{number}]\ndatabase = {url.replace('%', '%%')}\n" for number, url in enumerate(urls))
    (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n[healthd]\ndeadline_s = 60\n" + "".join(sections))
    yield Fleet(folder, urls)
    ours = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s"
    _administrator.execute(ours, [ROLE])


async def test_rounds_take_turns_where_a_role_may_have_few_connections(fleet: Fleet) -> None:
    settings = read_settings()
    known, places = read_files(settings), Places()
    last: dict[str, Round | None] = dict.fromkeys((target.name for target in settings.targets), None)
    failures = []
    for _ in range(3):
        made = await asyncio.gather(
            *(examine_again(target, known, last[target.name], places=places) for target in settings.targets)
        )
        last = {one.report.target: one for one in made}
        failures += [one.report.findings for one in made if one.report.failure]
    for one in last.values():
        assert one is not None
        await one.close()

    assert [] == failures
    assert len(places.resting) <= 3


def test_check_looks_at_all_of_them_too(fleet: Fleet) -> None:
    reports = json.loads(healthd("check", "--format", "json").out)

    assert 7 == len(reports)
    problems = {finding["problem"] for report in reports for finding in report["findings"]}
    assert "unknown" not in {report["severity"] for report in reports}
    assert problems  # the privileges that the fixture grants: all of the databases were seen


def test_check_lets_many_targets_take_turns(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    most: list[int] = []
    end = Turns._end

    def counted(turns: Turns, turn: Turn) -> None:
        most.append(turns.counted)
        end(turns, turn)

    monkeypatch.setattr("healthd.cli.verbs.check.AT_ONCE", 6)
    monkeypatch.setattr(Turns, "_end", counted)
    reports = json.loads(healthd("check", "--format", "json").out)

    assert 7 == len(reports) == len(most)
    assert max(most) <= FIRST
    assert "unknown" not in {report["severity"] for report in reports}


async def test_where_no_place_comes_free_the_error_names_the_limit_and_its_cure(fleet: Fleet) -> None:
    held = [await dial(url) for url in fleet.urls[:3]]
    try:
        with pytest.raises(DatabaseUnreachable, match=f'too many connections for role "{ROLE}"') as caught:
            await dial(fleet.urls[3], timeout_s=1.0)
        assert "CONNECTION LIMIT N" in caught.value.hint
        assert "one for each target" in caught.value.hint
    finally:
        for connection in held:
            await connection.close()


async def test_a_connection_that_rests_is_given_up_for_who_has_none(fleet: Fleet) -> None:
    places, held = Places(), [await dial(url) for url in fleet.urls[:3]]
    for connection, url in zip(held, fleet.urls, strict=False):
        places.leave(connection, psycopg.conninfo.conninfo_to_dict(url))  # type: ignore[arg-type] # no integers in it
    new = await dial(fleet.urls[3], places=places)

    assert [True, False, False] == [connection.closed for connection in held]
    for connection in (new, *held):
        await connection.close()


# ── a daemon with many databases on one server ──────────────────────────────────────────────────────────


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings without a target."""
    monkeypatch.chdir(tmp_path)
    Path("yoyo.ini").write_text(f"[DEFAULT]\nsources = {SQL}\n[healthd]\nrehearse = no\n")
    return read_settings()


@pytest.fixture
def make_targets(shipped: str, make_database: MakeDatabase) -> Callable[[int], tuple[Target, ...]]:
    """Return a function that makes databases, and returns them as targets."""
    return lambda number: tuple(
        Target(f"t{one}", make_database(shipped), interval_s=0.2, deadline_s=60.0) for one in range(number)
    )


@asynccontextmanager
async def watching(settings: Settings, *targets: Target) -> AsyncIterator[Watch]:
    """Watch targets as the daemon does."""
    board = Board()
    memory, wrong = Memory(board), WrongFiles(board)
    watch = Watch(board, lambda: settings, settings, Rehearsals(board), memory, wrong, Alertmanagers(board))
    watch.follow(replace(settings, targets=targets))
    watch.later(watch.turns.adapt())
    try:
        yield watch
    finally:
        await watch.stop()


async def examined(watch: Watch, rounds: int, *names: str) -> None:
    """Wait until these targets had so many rounds; without names, all of them."""
    chosen = names or tuple(watch.board.entries)
    while any(watch.board.entries[name].runs < rounds for name in chosen):  # noqa: ASYNC110 # the board has no event
        await asyncio.sleep(0.01)


def failed(watch: Watch) -> dict[str, list[str]]:
    """Return the reasons for which rounds failed, by target."""
    return {name: sorted(one.failures) for name, one in watch.board.entries.items() if one.failures}


OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'healthd/%'"


async def test_many_databases_of_one_server_are_examined_by_few_backends(
    settings: Settings, make_targets: Callable[[int], tuple[Target, ...]], server: Any, sql: Sql
) -> None:
    seen: list[int] = []

    async def count() -> None:
        async with await psycopg.AsyncConnection.connect(server.url(), autocommit=True) as connection:
            while True:
                ((number,),) = await (await connection.execute(OURS)).fetchall()
                seen.append(number)
                await asyncio.sleep(0.01)

    async with watching(settings, *make_targets(MANY)) as watch:
        counting = asyncio.create_task(count())
        await examined(watch, 2)
        counting.cancel()
        resting = len(watch.places.resting)

    assert {} == failed(watch)
    assert 0 < max(seen) <= MOST + 2  # of two, the server has not ended the session yet
    assert 0 == resting
    assert ({}, 0) == (watch.turns.waiting, watch.turns.counted)
    assert {0} == {one.running for one in watch.turns.servers.values()}
    while sql(server.url(), OURS) != [(0,)]:  # noqa: ASYNC110 # the server notices soon
        await asyncio.sleep(0.01)


async def test_few_targets_of_a_server_keep_their_connections(
    settings: Settings, make_targets: Callable[[int], tuple[Target, ...]]
) -> None:
    async with watching(settings, *make_targets(2)) as watch:
        await examined(watch, 3)
        connects = {name: entry.questions["connect"] for name, entry in watch.board.entries.items()}

    assert {"t0": 1, "t1": 1} == connects


async def test_a_role_that_may_have_three_connections_sees_many_databases(
    settings: Settings, make_targets: Callable[[int], tuple[Target, ...]], server: Any, sql: Sql
) -> None:
    sql(server.url(), "DROP ROLE IF EXISTS three_connections")
    sql(server.url(), "CREATE ROLE three_connections LOGIN CONNECTION LIMIT 3 IN ROLE pg_read_all_data")
    try:
        targets = [
            replace(one, dsn=Dsn.of(one.dsn).text.replace("postgres@", "three_connections@"))
            for one in make_targets(MANY)
        ]
        async with watching(settings, *targets) as watch:
            await examined(watch, 2)
            unknown = [name for name, one in watch.board.entries.items() if one.report and one.report.failure]
    finally:
        sql(server.url(), "DROP ROLE three_connections")

    assert [] == unknown
    assert {} == failed(watch)


async def test_targets_that_do_not_answer_keep_nobody_waiting(
    settings: Settings, make_targets: Callable[[int], tuple[Target, ...]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts nothing, and the client does not know that
        dsn = f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=app user=me"
        holes = [Target(f"hole{one}", dsn, interval_s=0.2, deadline_s=2.0) for one in range(8)]
        async with watching(settings, *holes, *make_targets(8)) as watch:
            await examined(watch, 3, *(f"t{one}" for one in range(8)))
            await examined(watch, 1)

    assert {one.name: ["timeout"] for one in holes} == failed(watch)


async def test_a_target_that_is_removed_gives_its_turn_to_the_others(
    settings: Settings, make_targets: Callable[[int], tuple[Target, ...]]
) -> None:
    targets = make_targets(6)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=app user=me"
        holes = tuple(Target(f"hole{one}", dsn, interval_s=0.2, deadline_s=3600.0) for one in range(MOST + 1))
        async with watching(settings, *targets, *holes) as watch:
            (server,) = watch.servers["hole0"]
            await examined(watch, 1, *(one.name for one in targets))
            held, waiting = watch.turns.servers[server].running, bool(watch.turns.waiting)
            watch.follow(replace(settings, targets=targets))
            await examined(watch, 2)
            watch.follow(replace(settings, targets=targets[:3]))
            known = watch.turns.servers

    assert (True, True) == (0 < held <= MOST, waiting)
    assert server not in known
    assert {} == failed(watch)


# ── a connection that was not kept ──────────────────────────────────────────────────────────────────────


def unkept(*dsns: str | Dsn) -> Places:
    """Return places for targets that share their server with many others."""
    return Places(crowded=frozenset(map(Dsn.of, dsns)))


def reads(found: Round) -> list[str]:
    """Return what a round asked."""
    return [question for question, _ in found.report.questions]


@pytest.mark.parametrize("busy", [False, True])
async def test_a_quiet_database_is_not_read_again_on_a_new_connection(
    busy: bool, known: Files, make_targets: Callable[[int], tuple[Target, ...]], sql: Sql
) -> None:
    (target,) = make_targets(1)
    places, last, asked = unkept(target.dsn), None, []
    for _ in range(5):
        last = await examine_again(target, known, last, places=places)
        asked.append(reads(last))
        if busy:
            sql(target.dsn, "SELECT pg_catalog.pg_current_xact_id()")

    assert last is not None
    assert last.session is not None
    assert last.session.connection is None
    assert ["connect", "look"] == asked[-1]
    assert (2 if busy else 1) == sum("read" in one for one in asked)


@pytest.mark.parametrize("before", [0, 2], ids=["quiet so far", "busy so far"])
async def test_a_change_is_seen_on_a_new_connection(
    before: int, known: Files, make_targets: Callable[[int], tuple[Target, ...]], sql: Sql
) -> None:
    (target,) = make_targets(1)
    places = unkept(target.dsn)
    last = await examine_again(target, known, None, places=places)
    for _ in range(before):
        sql(target.dsn, "SELECT pg_catalog.pg_current_xact_id()")
        last = await examine_again(target, known, last, places=places)
    assert () == last.report.findings
    sql(target.dsn, "ALTER TABLE machines DROP COLUMN notes")
    last = await examine_again(target, known, last, places=places)

    assert ["schema_mismatch"] == [one.problem for one in last.report.findings]
    sql(target.dsn, "ALTER TABLE machines ADD COLUMN notes text")
    assert () == (await examine_again(target, known, last, places=places)).report.findings


async def test_another_database_or_role_behind_the_same_name_is_read(
    known: Files, make_targets: Callable[[int], tuple[Target, ...]], sql: Sql, tmp_path: Path, monkeypatch: Any
) -> None:
    good, bad = make_targets(2)
    sql(bad.dsn, "ALTER TABLE machines DROP COLUMN notes")
    service = tmp_path / "services"
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    target = replace(good, dsn="service=app")
    places = unkept(target.dsn)

    def lead_to(one: Target) -> None:
        values = psycopg.conninfo.conninfo_to_dict(Dsn.of(one.dsn).text)
        service.write_text("[app]\n" + "".join(f"{name}={value}\n" for name, value in values.items()))

    lead_to(good)
    last = await examine_again(target, known, None, places=places)
    assert () == last.report.findings
    lead_to(bad)  # nothing was committed meanwhile

    assert ["schema_mismatch"] == [
        one.problem for one in (await examine_again(target, known, last, places=places)).report.findings
    ]


async def test_a_connection_that_was_given_up_is_no_reason_to_read_again(
    known: Files, make_targets: Callable[[int], tuple[Target, ...]]
) -> None:
    (target,) = make_targets(1)
    places = Places()
    last = await examine_again(target, known, None, places=places)
    assert last.session is not None
    places.take(last.session.connection)
    await last.session.connection.close()
    last = await examine_again(target, known, last, places=places)

    assert ["connect", "look"] == reads(last)
    await last.close()

"""A round ends at its deadline with the true reason, whatever the server does, and nothing is left behind."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import BINARIES
from frozen import frozen, stopped
from proxy import proxy
from story import migrate_shipped

from healthd.config.settings import Target
from healthd.database.connection import dial
from healthd.database.open_connections import Opened, collecting
from healthd.expected.store import Files
from healthd.model.severity import Severity
from healthd.postgres import embedded
from healthd.rounds.deadline import TimeUp, within
from healthd.rounds.round import Round

rounds: Any = import_module("healthd.rounds.examination")
LONG_S = 60  # never waited for: what takes so long fails
SHORT_S = 2
CONNECT_S = 3  # after which the driver gives a connection up by itself
MIDDLE_S = 5  # enough to come to the middle of a round
WELL = [("ok", ())]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Server]:
    """A server that can be stopped, with sql/ applied to its database `app`."""
    with embedded.temporary(binaries=BINARIES) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE app TEMPLATE template0")
        migrate_shipped(server.url("app"))
        yield server


def descriptors() -> set[str]:
    """Return the sockets that this process has open."""
    found = set()
    for name in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(str(name.readlink()))
    return {one for one in found if one.startswith("socket:")}


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """Fail if a test leaves a socket or a task."""
    tasks, sockets = asyncio.all_tasks(), descriptors()
    yield
    for _ in range(100):
        gc.collect()
        left = {one for one in asyncio.all_tasks() - tasks if "TestRunner" not in repr(one)}  # what runs this
        if not left and not descriptors() - sockets:
            return
        await asyncio.sleep(0.02)
    assert (set(), set()) == (left, descriptors() - sockets)


async def ended(target: Target, known: Files, last: Round | None) -> Round:
    """Return the next round; fail if it does not end."""
    found: Round = await asyncio.wait_for(rounds.examine_again(target, known, last), LONG_S)
    return found


def reason(found: Round) -> tuple[str | None, str]:
    (finding,) = found.report.findings
    assert Severity.UNKNOWN == finding.severity
    return found.report.failure, finding.problem


async def others_go_on(url: str, known: Files, during: Callable[[], Any], *, least: int = 0) -> Any:
    """Return what a coroutine returns; at least so many rounds of another target must end while it runs."""
    target, count = Target("other", url, deadline_s=LONG_S), 0
    last = await ended(target, known, None)
    task = asyncio.ensure_future(during())
    while not task.done():
        last = await ended(target, known, last)
        assert () == last.report.findings
        count += not task.done()
        await asyncio.wait([task], timeout=0.1)
    await last.close()
    assert count >= least
    return await task


async def test_a_frozen_session_is_unknown_at_the_deadline_and_well_again_afterwards(
    url: str,
    shipped: str,
    make_database: Any,
    known: Files,
    nothing_left: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    target, other = Target("app", url, deadline_s=SHORT_S), make_database(shipped)
    first = await ended(Target("app", url, deadline_s=LONG_S), known, None)
    assert first.session is not None
    with stopped(first.session.connection.info.backend_pid):
        late = await others_go_on(other, known, lambda: ended(target, known, first), least=1)
    again = await ended(Target("app", url, deadline_s=LONG_S), known, late)
    await again.close()

    assert ("timeout", "round_failed") == reason(late)  # the server still takes requests, only this session does not
    assert f"took longer than {SHORT_S} s" in late.report.findings[0].message
    assert [] == [one.message for one in caplog.records if one.name.startswith("psycopg")]  # the driver did not wait
    assert late.session is None
    assert Severity.UNKNOWN == late.report.severity
    assert () == again.report.findings


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_server_that_is_frozen_before_a_round_is_unreachable_until_it_goes_on(
    own: embedded.Server, url: str, known: Files, fresh: bool, nothing_left: None
) -> None:
    long, short = (Target("app", own.url("app"), deadline_s=deadline_s) for deadline_s in (LONG_S, SHORT_S))
    last = await ended(long, known, None)
    if fresh:
        await last.close()
    with frozen(own):
        late = await others_go_on(url, known, lambda: ended(short, known, None if fresh else last), least=1)
    again = await ended(long, known, late)
    await again.close()

    assert ("timeout", "database_unreachable") == reason(late)
    assert f"no answer within {SHORT_S} s" == late.report.findings[0].message
    assert late.session is None
    assert () == again.report.findings


async def test_a_connection_that_was_not_answered_in_time_is_closed_before_garbage_is_collected(
    own: embedded.Server, known: Files
) -> None:
    """A server that goes on would give it a session, which stays for as long as it is open."""
    target = Target("app", own.url("app"), deadline_s=CONNECT_S)
    gc.collect()
    gc.disable()
    try:
        before = descriptors()
        with frozen(own):
            for _ in range(2):
                await ended(target, known, None)
            left = descriptors() - before
    finally:
        gc.enable()

    assert set() == left


@pytest.mark.parametrize("query", [2, 8])
async def test_a_server_that_freezes_in_the_middle_of_a_round_is_unreachable_until_it_goes_on(
    own: embedded.Server, url: str, known: Files, query: int, nothing_left: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, here, asked = psycopg.AsyncCursor.execute, ExitStack(), 0

    async def execute(cursor: Any, *words: Any, **more: Any) -> Any:
        nonlocal asked
        asked += cursor.connection.info.host == str(own.socket)
        if asked == query and cursor.connection.info.host == str(own.socket):
            here.enter_context(frozen(own))
        return await original(cursor, *words, **more)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", execute)
    short = Target("app", own.url("app"), deadline_s=MIDDLE_S)
    with here:
        late = await others_go_on(url, known, lambda: ended(short, known, None), least=1)
    again = await ended(Target("app", own.url("app"), deadline_s=LONG_S), known, late)
    await again.close()

    assert ("timeout", "database_unreachable") == reason(late)
    assert f"no answer within {MIDDLE_S} s" == late.report.findings[0].message
    assert asked > query
    assert () == again.report.findings


FOUND = {
    "swallow": ("timeout", "database_unreachable"),
    "cut": ("unreachable", "database_unreachable"),
    "garbage": ("unreachable", "database_unreachable"),
}


@pytest.mark.parametrize("fresh", [True, False])
async def test_what_lies_between_is_the_reason_and_others_go_on(
    url: str, shipped: str, make_database: Any, server: Any, known: Files, fresh: bool, nothing_left: None
) -> None:
    database, other = psycopg.conninfo.conninfo_to_dict(url)["dbname"], make_database(shipped)
    found = {}
    async with proxy(Path(server.socket) / ".s.PGSQL.5432") as between:
        here = between.url(str(database))
        long, short = Target("app", here, deadline_s=LONG_S), Target("app", here, deadline_s=SHORT_S)
        well = await ended(long, known, None)
        for mode in FOUND:
            if fresh:
                await well.close()
            last = None if fresh else well
            between.mode = mode
            broken = await others_go_on(other, known, partial(ended, short, known, last), least=mode == "swallow")
            found[mode] = reason(broken)
            between.mode = "pass"
            well = await ended(long, known, broken)
            assert () == well.report.findings
        between.mode = "delay"
        slow = await ended(long, known, well)
        await slow.close()

    assert FOUND == found
    assert () == slow.report.findings


async def test_a_terminated_session_is_replaced_within_the_round(
    url: str, shipped: str, make_database: Any, known: Files, sql: Any
) -> None:
    first = await ended(Target("app", url, deadline_s=LONG_S), known, None)
    assert first.session is not None
    sql(url, "SELECT pg_terminate_backend(%s)", first.session.connection.info.backend_pid)
    target = Target("app", url, deadline_s=LONG_S)
    again = await others_go_on(make_database(shipped), known, lambda: ended(target, known, first))
    await again.close()

    assert () == again.report.findings


async def test_a_dropped_database_is_unreachable_with_the_words_of_the_server(
    url: str, shipped: str, make_database: Any, known: Files, sql: Any, server: Any, nothing_left: None
) -> None:
    target, other = Target("app", url, deadline_s=LONG_S), make_database(shipped)
    first = await ended(target, known, None)
    sql(server.url(), f"DROP DATABASE {psycopg.conninfo.conninfo_to_dict(url)['dbname']} WITH (FORCE)")
    gone = await others_go_on(other, known, lambda: ended(target, known, first))

    assert ("unreachable", "database_unreachable") == reason(gone)
    assert "does not exist" in gone.report.findings[0].message


async def test_work_that_goes_on_after_its_time_is_cancelled() -> None:
    stopped = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    with pytest.raises(TimeUp) as caught:
        await asyncio.wait_for(within(0.01, work(), Opened()), LONG_S)

    assert not caught.value.answers
    assert stopped.is_set()


async def test_an_error_that_comes_after_the_time_is_late_even_if_nobody_could_look_in_between() -> None:
    async def work() -> None:
        await asyncio.sleep(0.01)
        time.sleep(0.1)  # noqa: ASYNC251 # this process comes late
        raise KeyError

    with pytest.raises(TimeUp) as caught:
        await within(0.05, work(), Opened())

    assert not caught.value.answers


async def test_a_result_that_comes_after_the_time_is_a_result() -> None:
    async def work() -> int:
        time.sleep(0.1)  # noqa: ASYNC251
        return 1

    assert 1 == await within(0.05, work(), Opened())


async def test_a_result_and_an_error_are_passed_on() -> None:
    async def value() -> int:
        return 1

    async def error() -> None:
        raise KeyError

    assert 1 == await within(LONG_S, value(), Opened())
    with pytest.raises(KeyError):
        await within(LONG_S, error(), Opened())


async def test_work_ends_with_who_waits_for_it() -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    waiting = asyncio.create_task(within(LONG_S, work(), Opened()))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert stopped.is_set()


async def test_what_work_has_opened_is_closed_if_nobody_waits_at_the_moment_at_which_it_is_done(url: str) -> None:
    opened, done = Opened(), asyncio.Event()

    async def work() -> psycopg.AsyncConnection[Any]:
        connection = await dial(url)
        done.set()
        return connection

    with collecting(opened):
        waiting = asyncio.create_task(within(LONG_S, work(), opened))
        await done.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert [True] == [connection.closed for connection in opened.connections]

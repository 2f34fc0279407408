"""A round ends at its deadline with the true reason, whatever the server does, and nothing is left behind."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from proxy import proxy

from healthd.config.settings import Target
from healthd.database.connection import dial
from healthd.database.opened import Opened, collecting
from healthd.expected.store import Files
from healthd.model.severity import Severity
from healthd.rounds.deadline import TimeUp, within
from healthd.rounds.examination import Round

rounds: Any = import_module("healthd.rounds.examination")
LONG_S = 60  # never waited for: what takes so long fails
WELL = [("ok", ())]


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """Stop processes for a block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


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
    task = asyncio.ensure_future(during())
    target, last, count = Target("other", url, deadline_s=LONG_S), None, 0
    while not task.done():
        last = await ended(target, known, last)
        assert () == last.report.findings
        count += not task.done()
        await asyncio.sleep(0.01)
    if last is not None:
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
    target, other = Target("app", url, deadline_s=5), make_database(shipped)
    first = await ended(Target("app", url, deadline_s=LONG_S), known, None)
    with frozen(first.session.connection.info.backend_pid):
        late = await others_go_on(other, known, lambda: ended(target, known, first), least=1)
    again = await ended(Target("app", url, deadline_s=LONG_S), known, late)
    await again.close()

    assert ("timeout", "round_failed") == reason(late)  # the server still takes requests, only this session does not
    assert "took longer than 5 s" in late.report.findings[0].message
    assert [] == [one.message for one in caplog.records if one.name.startswith("psycopg")]  # the driver did not wait
    assert late.session is None
    assert Severity.UNKNOWN == late.report.severity
    assert () == again.report.findings


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        ("swallow", ("timeout", "database_unreachable")),
        ("cut", ("unreachable", "database_unreachable")),
        ("garbage", ("unreachable", "database_unreachable")),
    ],
)
@pytest.mark.parametrize("fresh", [True, False])
async def test_what_lies_between_is_the_reason_and_others_go_on(
    url: str,
    shipped: str,
    make_database: Any,
    server: Any,
    known: Files,
    mode: str,
    found: tuple[str, str],
    fresh: bool,
    nothing_left: None,
) -> None:
    database, other = psycopg.conninfo.conninfo_to_dict(url)["dbname"], make_database(shipped)
    async with proxy(Path(server.socket) / ".s.PGSQL.5432") as between:
        here = between.url(str(database))
        long, short = Target("app", here, deadline_s=LONG_S), Target("app", here, deadline_s=5)
        last = None if fresh else await ended(long, known, None)
        between.mode = mode
        broken = await others_go_on(other, known, lambda: ended(short, known, last), least=mode == "swallow")
        between.mode = "pass"
        well = await ended(long, known, broken)
        between.mode = "delay"
        slow = await ended(long, known, well)
        await slow.close()

    assert found == reason(broken)
    assert () == well.report.findings == slow.report.findings


async def test_a_terminated_session_is_replaced_within_the_round(url: str, known: Files, sql: Any) -> None:
    first = await ended(Target("app", url, deadline_s=LONG_S), known, None)
    sql(url, "SELECT pg_terminate_backend(%s)", first.session.connection.info.backend_pid)
    again = await ended(Target("app", url, deadline_s=LONG_S), known, first)
    await again.close()

    assert () == again.report.findings


async def test_a_dropped_database_is_unreachable_with_the_words_of_the_server(
    url: str, known: Files, sql: Any, server: Any, nothing_left: None
) -> None:
    first = await ended(Target("app", url, deadline_s=LONG_S), known, None)
    sql(server.url(), f"DROP DATABASE {psycopg.conninfo.conninfo_to_dict(url)['dbname']} WITH (FORCE)")
    gone = await ended(Target("app", url, deadline_s=LONG_S), known, first)

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

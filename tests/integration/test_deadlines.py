"""A round ends at its deadline, whatever the server does."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest
from story import files, lock, migrated, migrations

from healthd.config.settings import Target
from healthd.expected.store import Files
from healthd.rounds.deadline import within

rounds: Any = import_module("healthd.rounds.examination")


@pytest.fixture(scope="module")
def known() -> Files:
    return files(lock(), migrations())


@pytest.fixture(scope="module")
async def template(server: Any, _administrator: Any, known: Files, anyio_backend: str) -> AsyncIterator[str]:
    async with migrated(server, _administrator, "deadlines") as name:
        yield name


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process for a block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_session_that_is_frozen_is_unknown_at_the_deadline_and_well_again_afterwards(
    template: str, make_database: Any, known: Files
) -> None:
    url = make_database(template)
    first = await rounds.examine_again(Target("app", url, deadline_s=30), known, None)
    assert () == first.report.findings
    pid = first.session.connection.info.backend_pid

    with frozen(pid):
        late = await asyncio.wait_for(rounds.examine_again(Target("app", url, deadline_s=1), known, first), 60)

    assert ("timeout", None) == (late.report.failure, late.session)
    assert "no answer within 1 s" in late.report.findings[0].message
    again = await rounds.examine_again(Target("app", url, deadline_s=30), known, late)
    assert () == again.report.findings
    await again.close()


async def test_work_that_does_not_stop_is_left_to_itself() -> None:
    release, stopped = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        stopped.set()
        raise ValueError

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(within(0.01, stubborn()), 60)

    assert not stopped.is_set()
    release.set()
    await asyncio.wait_for(stopped.wait(), 60)


async def test_a_result_and_an_error_are_passed_on() -> None:
    async def value() -> int:
        return 1

    async def error() -> None:
        raise KeyError

    assert 1 == await within(60, value())
    with pytest.raises(KeyError):
        await within(60, error())


async def test_work_ends_with_who_waits_for_it() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(within(60, work()))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert ended.is_set()

"""How long it takes from COMMIT of a DDL statement to the changed value in the text of /metrics, part by part.

Usage: python bench/wake.py [TABLES …] (default 1000). The database has the DDL watch, and the daemon an interval in
which no round begins by itself. A column appears, which is a finding, and disappears, which is none; the script of the
finding follows in a round of its own, which is not measured but for the processor seconds. The last lines are what the
event triggers cost who runs DDL: statements with and without them take turns.
"""

import asyncio
import logging
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psycopg
import structlog
from processes import processor_s
from rounds import empty_database, prepare

from healthd.config.reader import read_settings
from healthd.config.settings import Target
from healthd.daemon import loop
from healthd.daemon.alertmanager import Alertmanagers
from healthd.daemon.rehearsals import Rehearsals
from healthd.daemon.state import Memory
from healthd.daemon.target_files import WrongFiles
from healthd.daemon.watch import Burst
from healthd.expected.ddl_watch import APPLY, ROLLBACK
from healthd.model.findings import Report
from healthd.report.board import Board
from healthd.report.exposition import Exposition

TIMES = 25
PAUSE_S = 1.0  # so that no notification is one of a burst, and the daemon has rested
STATEMENTS = 500
ADD, DROP = "ALTER TABLE app.t_00000 ADD COLUMN extra integer", "ALTER TABLE app.t_00000 DROP COLUMN extra"
PARTS = ("notification received", "round begun", "queries of the round", "the rest of the round", "metrics written")


@dataclass
class Clock:
    """When each part of one wake ended, in monotonic seconds; the session that commits is in a thread."""

    ends: list[float] = field(default_factory=list)
    posted: asyncio.Event = field(default_factory=asyncio.Event)
    report: Report | None = None

    def note(self) -> None:
        """Note that a part has ended."""
        self.ends.append(time.monotonic())

    def begin(self) -> None:
        """Begin the next wake."""
        self.ends.clear()
        self.posted.clear()


def observe(clock: Clock) -> None:
    """Let the daemon tell the clock what it does."""
    parts: Any = loop
    hear, examine, post = Burst.hear, parts.examine_again, Board.post

    def heard(burst: Burst, at: float) -> None:
        clock.ends.append(at)
        hear(burst, at)

    async def examined(*words: Any, **more: Any) -> Any:
        if not clock.posted.is_set():  # what follows a report is the round that makes its script
            clock.note()
        return await examine(*words, **more)

    def posted(board: Board, report: Report) -> Any:
        if not clock.posted.is_set():
            clock.note()
            clock.report = report
            clock.posted.set()
        return post(board, report)

    parts.examine_again = examined
    setattr(Burst, "hear", heard)  # noqa: B010 # only here
    setattr(Board, "post", posted)  # noqa: B010 # only here


async def woken(
    clock: Clock, session: psycopg.Connection[Any], exposition: Exposition, statement: str, findings: int
) -> list[float]:
    """Run a statement, wait for its round, and return how long each part took, and all of them."""
    await asyncio.sleep(PAUSE_S)
    clock.begin()
    committed_at = await asyncio.to_thread(committed, session, statement)
    await clock.posted.wait()
    exposition.text("text/plain")
    clock.note()
    assert clock.report is not None, "there was a round"
    assert findings == len(clock.report.findings), clock.report.findings
    assert 4 == len(clock.ends), "one notification, one round"
    ends = [committed_at, *clock.ends]
    heard_s, begun_s, round_s, written_s = (later - earlier for earlier, later in pairwise(ends))
    queries_s = sum(seconds for _, seconds in clock.report.questions)
    return [heard_s, begun_s, queries_s, round_s - queries_s, written_s, ends[-1] - ends[0]]


def committed(session: psycopg.Connection[Any], statement: str) -> float:
    """Run a statement, and return when it was committed."""
    session.execute(statement.encode())
    return time.monotonic()


async def wake(url: str, folder: Path) -> None:
    """Wake a daemon many times, and print what each part took."""
    settings, board = read_settings(folder / "yoyo.ini"), Board()
    clock, exposition = Clock(), Exposition(board, lambda: datetime.now(UTC))
    observe(clock)
    parts = Rehearsals(board), Memory(board), WrongFiles(board), Alertmanagers(board)
    watch = loop.Watch(board, lambda: settings, settings, *parts)
    settings = replaced(settings, Target("bench", url, interval_s=3600, deadline_s=600))
    watch.follow(settings)
    taken: dict[str, list[list[float]]] = {"a finding appears": [], "it disappears": []}
    with psycopg.connect(url, autocommit=True) as session:
        while board.entries["bench"].runs < 2:  # noqa: ASYNC110 # the board has no event
            await asyncio.sleep(0.05)
        await asyncio.sleep(PAUSE_S)
        pid = backend_of(session)
        before = [time.process_time(), processor_s(pid)]
        for _ in range(TIMES):
            taken["a finding appears"].append(await woken(clock, session, exposition, ADD, 1))
            taken["it disappears"].append(await woken(clock, session, exposition, DROP, 0))
        used = [now - then for now, then in zip((time.process_time(), processor_s(pid)), before, strict=True)]
    await watch.stop()
    own_ms, server_ms = (1000 * seconds / TIMES / 2 for seconds in used)
    print(f"  processor time of a wake, scripts included: daemon {own_ms:.0f} ms, server {server_ms:.0f} ms")
    for what, rows in taken.items():
        print(f"  {what}")
        for part, values in zip((*PARTS, "in all"), zip(*rows, strict=True), strict=True):
            p99_ms = quantiles(values, n=100, method="inclusive")[98] * 1000
            print(f"    {part:24} p50 {median(values) * 1000:7.1f} ms   p99 {p99_ms:7.1f} ms")


def backend_of(session: psycopg.Connection[Any]) -> int:
    """Return the number of the process that serves the daemon."""
    query = "SELECT a.pid FROM pg_catalog.pg_stat_activity AS a WHERE a.application_name LIKE 'healthd%'"
    ((pid,),) = session.execute(query).fetchall()
    return int(pid)


def replaced(settings: Any, target: Target) -> Any:
    """Return settings with this target only, and without rehearsals."""
    return replace(settings, targets=(target,), rehearse=False)


def cost(url: str) -> None:
    """Print what the event triggers cost a session that runs DDL."""
    taken: dict[str, list[float]] = {"without the watch": [], "with it": []}
    body = "CREATE OR REPLACE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT {}'"
    with psycopg.connect(url, autocommit=True) as session:
        for number in range(6):
            session.execute((APPLY if number % 2 else ROLLBACK).encode())
            start = time.monotonic()
            for each in range(STATEMENTS):
                session.execute(body.format(each).encode())
            taken["with it" if number % 2 else "without the watch"].append((time.monotonic() - start) / STATEMENTS)
    for name, values in taken.items():
        print(f"  a statement {name:20} {median(values) * 1000:7.3f} ms")


async def measure(tables: int) -> None:
    """Measure one size."""
    async with empty_database() as (url, folder):
        await prepare(url, folder, tables, APPLY)
        print(f"{tables} tables")
        await wake(url, folder)
        cost(url)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for size in map(int, sys.argv[1:] or ("1000",)):
        asyncio.run(measure(size))

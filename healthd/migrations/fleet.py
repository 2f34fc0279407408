"""Migrate many databases: a canary first, then a few at a time; a failure stops it unless all are to be tried."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

from healthd.config.settings import Target
from healthd.errors import HealthdError, failed
from healthd.migrations.safe_run import Changed

Run = Callable[[Target], Awaitable[Changed]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one target; `applied` is None after a failure, whose message states what was applied."""

    target: str
    outcome: str  # applied, nothing to do, failed, not started
    applied: tuple[str, ...] | None = ()
    unproven: tuple[str, ...] = ()
    duration_s: float = 0.0
    error: str = ""
    hint: str = ""
    exit_code: int = 0


async def fleet(
    targets: Sequence[Target], run: Run, *, jobs: int, canary: Target | None = None, keep_going: bool = False
) -> tuple[Outcome, ...]:
    """Run on the canary, then on `jobs` targets at a time, and return the outcome of each, the canary first.

    After a failure no other target is started, and those that are running finish. With `keep_going` the others are
    started nevertheless, unless the canary failed.
    """
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(jobs))  # a run spends its time in a thread
    first = canary or targets[0]
    rest = [one for one in targets if one is not first]
    outcomes = {first.name: await _one(first, run)}
    waiting = iter(rest)
    stopped = outcomes[first.name].exit_code != 0

    async def work() -> None:
        nonlocal stopped
        while not stopped and (target := next(waiting, None)) is not None:
            outcomes[target.name] = found = await _one(target, run)
            if found.exit_code and not keep_going:
                stopped = True

    await asyncio.gather(*(work() for _ in range(jobs)))
    return tuple(outcomes.get(one.name, Outcome(one.name, "not started")) for one in (first, *rest))


async def _one(target: Target, run: Run) -> Outcome:
    start = monotonic()
    try:
        done = await run(target)
    except Exception as error:  # any exception: the other runs must not be aborted
        ours = error if isinstance(error, HealthdError) else failed(error)
        return Outcome(target.name, "failed", None, (), monotonic() - start, str(ours), ours.hint, ours.exit_code)
    outcome = "applied" if done.ids else "nothing to do"
    return Outcome(target.name, outcome, done.ids, done.unproven, monotonic() - start)

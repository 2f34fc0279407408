"""`make soak`: let a daemon bear random faults, and compare what it reports with the truth all the while.

    make soak ARGS="--minutes 5 --seed 7"

Two servers are stopped as by a crash, frozen, promoted, and run out of connections; the password expires; sessions are
terminated, tables locked, databases changed, dropped and created again; proxies delay, cut, swallow and answer garbage;
PgBouncer is killed; targets are removed and added; clients of the web port say nothing.
At the end all is well, but for some drift, and everything must be known.
The same seed chooses the same faults, but not at the same moments.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import httpx

from soak.faults import Faults, HostFaults, OtherFaults, set_drift
from soak.process import Daemon, configure, daemon
from soak.truth import DRIFT, OK
from soak.verdict import Outcome, settling_s, verdict
from soak.watcher import Seen, watch
from soak.world import ROLE, SQL, Host, Watched, world

START_S = 300.0
PATIENCE = 3  # times as long as allowed: the truth is waited for, and its time judged
RESTING = (
    f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{ROLE}' AND state_change < now() - interval '{{}} seconds'"
)
PROGRESS_S = 60.0
DRIFTING = 5  # every so many targets drift at the end


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how many, and how fast."""

    minutes: float
    targets: int
    interval_s: float
    deadline_s: float
    longest_s: float  # of a fault
    seed: int


async def soaked(plan: Plan, folder: Path) -> Outcome:
    """Return what was seen of a daemon that bears faults."""
    async with world(folder, plan.targets) as (hosts, targets):
        urls = {target.name: target.url for target in targets}
        configure(folder, SQL, urls, interval_s=plan.interval_s, deadline_s=plan.deadline_s)
        async with daemon(folder) as process:
            outcome = await _borne(plan, hosts, targets, process)
        await asyncio.sleep(1)  # for which a server may still have a session that was closed
        return replace(outcome, sessions_after=await _resting(hosts, 0), log=process.log)


async def _borne(plan: Plan, hosts: list[Host], targets: list[Watched], process: Daemon) -> Outcome:
    """Return what was seen while there were faults, and afterwards."""
    seen, chance = Seen(), random.Random(plan.seed)
    faults = Faults(targets, process, seen, chance, plan.longest_s, plan.interval_s, plan.deadline_s)
    async with _watching(process, targets, seen):
        await _until(lambda: _wrong(seen, targets) == [], START_S)
        before = process.usage()
        begin = time.time()
        await _played(faults, hosts, plan.minutes * 60)
        for place, target in enumerate(targets):
            if (place % DRIFTING == 0) != bool(target.drift):
                await set_drift(target, chance)
        end = time.time()
        most_s = PATIENCE * settling_s(plan.interval_s, plan.deadline_s)
        await _until(lambda: _wrong(seen, targets) == [] and _all_begun(seen, end), most_s)
        settled_s = time.time() - end
        await asyncio.sleep(2 * plan.interval_s)
        wrong = _wrong(seen, targets) + await _wrong_in_api(process, targets)
        forgotten = await _resting(hosts, round(4 * plan.interval_s + plan.deadline_s))
    click.echo(f"{faults.counts.total()} faults in {(end - begin) / 60:.1f} minutes: {_counted(faults)}")
    return Outcome(
        seen,
        plan.interval_s,
        plan.deadline_s,
        faults=faults.counts.total(),
        targets=len(targets),
        errors=faults.errors,
        before=before,
        after=process.usage(),
        wrong_at_end=wrong,
        settled_s=settled_s,
        sessions=forgotten,
    )


async def _played(faults: Faults, hosts: list[Host], seconds: float) -> None:
    """Let faults happen for so long, and wait until the last ones have ended."""
    others, until = OtherFaults(faults), time.time() + seconds
    async with asyncio.TaskGroup() as group:
        for host in hosts:
            own = HostFaults(faults, host)
            usual = (own.drift, own.drift, own.terminate, own.lock, own.limit, own.expire, own.fill, own.drop)
            group.create_task(faults.play(*usual, own.stop, own.freeze, own.promote))
        for fault in (others.proxy, others.restart_pooler, others.reload, others.silence):
            group.create_task(faults.play(fault))
        group.create_task(others.follow_poolers())
        while (left_s := until - time.time()) > PROGRESS_S:
            await asyncio.sleep(PROGRESS_S)
            click.echo(_progress(faults, left_s - PROGRESS_S), err=True)
        await asyncio.sleep(max(0.0, left_s))
        faults.over.set()


@asynccontextmanager
async def _watching(process: Daemon, targets: list[Watched], seen: Seen) -> AsyncIterator[None]:
    """Scrape during the block; an error of it ends the block with that error, if it comes to its end."""
    task = asyncio.create_task(watch(process, targets, seen))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _until(condition: Any, timeout_s: float) -> None:
    """Wait for a condition, not for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 # it is scraped
                await asyncio.sleep(0.2)


def _wrong(seen: Seen, targets: list[Watched]) -> list[str]:
    """Return the targets whose state on /metrics is not the truth."""
    states = seen.scrape.states
    truth = {target.name: DRIFT if target.drift else OK for target in targets}
    return [
        f"/metrics: {name} is {states.get(name)} and not {true}"
        for name, true in truth.items()
        if states.get(name) != true
    ]


def _all_begun(seen: Seen, since: float) -> bool:
    """Return whether the last round of each target began later: one that began during a fault may still report it."""
    return min(seen.scrape.begun.values(), default=0.0) > since


async def _wrong_in_api(process: Daemon, targets: list[Watched]) -> list[str]:
    """Return the targets whose state in the API is not the truth, and those that should not be there."""
    async with httpx.AsyncClient(timeout=START_S, trust_env=False, verify=False) as client:
        found = (await client.get(f"{process.page}/api/v1/targets")).json()["targets"]
    states = {one["target"]: one["severity"] for one in found}
    names = {target.name: bool(target.drift) for target in targets}
    wrong = [f"/api/v1/targets: {name} should not be there" for name in states.keys() - names.keys()]
    good = {False: ("ok",), True: ("warning", "critical")}
    return wrong + [
        f"/api/v1/targets: {name} is {states.get(name)}, drift: {drift}"
        for name, drift in names.items()
        if states.get(name) not in good[drift]
    ]


async def _resting(hosts: list[Host], seconds: int) -> int:
    """Return how many sessions of the daemon have done nothing for so long."""
    counts = [await host.run(RESTING.format(seconds)) for host in hosts]
    return sum(int(rows[0][0]) for rows in counts)


def _progress(faults: Faults, left_s: float) -> str:
    seen, memory_mb = faults.seen, faults.daemon.usage().resident_mb
    rounds = f"{sum(seen.rounds.values())} rounds, {len(seen.lies)} not true, {len(seen.blind)} failed without a fault"
    return f"{left_s / 60:.0f} minutes left: {faults.counts.total()} faults, {rounds}, {memory_mb:.0f} MB"


def _counted(faults: Faults) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(faults.counts.items()))


@click.command(help=__doc__)
@click.option("--minutes", default=30.0, show_default=True, help="How long faults happen.")
@click.option("--targets", default=50, show_default=True, help="How many databases, on two servers.")
@click.option("--interval", default=5.0, show_default=True, help="interval_s of the daemon.")
@click.option("--deadline", default=5.0, show_default=True, help="deadline_s of the daemon.")
@click.option("--longest", default=20.0, show_default=True, help="Seconds that a fault lasts at most.")
@click.option("--seed", type=int, help="What chooses the faults; printed.")
@click.option("--log", type=click.Path(path_type=Path), help="Where the log of the daemon is written.")
def main(
    minutes: float, targets: int, interval: float, deadline: float, longest: float, seed: int | None, log: Path | None
) -> None:
    """Run it, print a report, and exit with 1 if something was wrong."""
    seed = random.SystemRandom().randrange(10_000) if seed is None else seed
    plan = Plan(minutes, targets, interval, deadline, longest, seed)
    click.echo(f"seed {seed}: {targets} targets, {minutes:g} minutes, interval_s {interval:g}, deadline_s {deadline:g}")
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL may have another account
        outcome = asyncio.run(soaked(plan, folder))
    if log is not None:
        log.write_text(outcome.log)
    lines = list(verdict(outcome))
    for line in lines:
        click.echo(f"{'ok  ' if line.good else 'FAIL'} {line.what}: {line.seen}")
    sys.exit(not all(line.good for line in lines))


if __name__ == "__main__":
    main()

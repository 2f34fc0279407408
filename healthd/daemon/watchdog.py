"""The watchdog of systemd: it is notified while the rounds of every target make progress."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from healthd.config.settings import Endpoint, Target
from healthd.daemon.loop import BACKOFF_MAX_S, Watch
from healthd.daemon.systemd import notify, watchdog_interval_s
from healthd.rounds.lateness import most_s


async def feed_watchdog(watch: Watch) -> None:
    """Notify the watchdog of systemd while the rounds of every target make progress."""
    interval_s = watchdog_interval_s()
    while interval_s:
        if all(not task.done() for _, task in watch.rounds.values()) and not is_stuck(watch):
            notify("WATCHDOG=1")
        await asyncio.sleep(interval_s)


def is_stuck(watch: Watch) -> bool:
    """Return whether a target has had no round for much longer than allowed, or nobody is given a turn any more."""
    if watch.turns.stalled_s() > max((_longest_s(target) for target, _ in watch.rounds.values()), default=0.0) + 30:
        return True
    waiting = set(watch.turns.waiting_for(tuple(watch.turns.servers)))
    for name, (target, _) in watch.rounds.items():
        entry = watch.board.entries[name]
        begun = [entry.begun_at] if entry.begun_at is not None else []
        begun += [entry.report.started_at] if entry.report is not None else []
        allowed_s = 2 * max(target.interval_s, BACKOFF_MAX_S) + _longest_s(target) + 30
        if begun and name not in waiting and datetime.now(UTC) - max(begun) > timedelta(seconds=allowed_s):
            return True
    return False


def _longest_s(target: Target | Endpoint) -> float:
    """Return how long a round may take at most; an endpoint is requested twice."""
    return most_s(target) if isinstance(target, Target) else 2 * target.deadline_s

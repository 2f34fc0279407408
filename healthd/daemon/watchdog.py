"""The watchdog of systemd: it is notified while the rounds of every target make progress."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from healthd.config.settings import Endpoint, Target
from healthd.daemon.loop import BACKOFF_MAX_S, Watch
from healthd.daemon.systemd import notify, watchdog_interval_s
from healthd.rounds.lateness import most_s


async def feed_watchdog(watch: Watch) -> None:
    """Notify the watchdog of systemd while the rounds of every target make progress."""
    interval_s, progress = watchdog_interval_s(), Progress()
    while interval_s:
        stuck = progress.is_stuck(watch, monotonic())
        if all(not task.done() for _, task in watch.rounds.values()) and not stuck:
            notify("WATCHDOG=1")
        await asyncio.sleep(interval_s)


@dataclass(slots=True)
class Progress:
    """When the last round of each target was first seen, in seconds that do not jump when the clock is set."""

    seen: dict[str, tuple[datetime | None, float]] = field(default_factory=dict)  # the begin of that round, and then

    def is_stuck(self, watch: Watch, now_s: float) -> bool:
        """Return whether a target has had no round for much longer than allowed, or nobody is given a turn any more."""
        self.seen = {name: found for name, found in self.seen.items() if name in watch.rounds}
        longest_s = max((_longest_s(target) for target, _ in watch.rounds.values()), default=0.0)
        late = [name for name, (target, _) in watch.rounds.items() if self._is_late(target, watch, now_s)]
        waiting = set(watch.turns.waiting_for(tuple(watch.turns.servers)))
        return watch.turns.stalled_s() > longest_s + 30 or not waiting.issuperset(late)

    def _is_late(self, target: Target | Endpoint, watch: Watch, now_s: float) -> bool:
        begun_at = watch.board.entries[target.name].begun_at
        known, since_s = self.seen.get(target.name, (None, now_s))
        if known != begun_at:
            since_s = now_s
        self.seen[target.name] = (begun_at, since_s)
        allowed_s = 2 * max(target.interval_s, BACKOFF_MAX_S) + _longest_s(target) + 30
        return begun_at is not None and now_s - since_s > allowed_s


def _longest_s(target: Target | Endpoint) -> float:
    """Return how long a round may take at most; an endpoint is requested twice."""
    return most_s(target) if isinstance(target, Target) else 2 * target.deadline_s

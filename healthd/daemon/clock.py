"""The clock of the machine: that it was set is logged, and makes no report recent and ends no alert."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Protocol

import structlog

log = structlog.get_logger()

HINT = "times from before this do not compare with those from after it"
LOOK_S = 1.0
SET_S = 2.0  # less than that in one look is how a clock is usually corrected

# A machine that was suspended has the right time afterwards: where the system has such a clock, that is no jump.
STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def ahead_s() -> float:
    """Return how far the clock is ahead of one that nobody can set; only the difference between two calls matters."""
    return time.time() - time.clock_gettime(STEADY)


class FollowsClock(Protocol):
    """What keeps times that are compared with the present."""

    def clock_set(self, jump: timedelta) -> None:
        """Note that the clock was set forward, or back if this is negative."""


async def follow_clock(*others: FollowsClock) -> None:
    """Look at the clock forever, and let others know when it was set."""
    before_s = ahead_s()
    while True:
        await asyncio.sleep(LOOK_S)
        before_s = noted(before_s, ahead_s(), *others)


def noted(before_s: float, after_s: float, *others: FollowsClock) -> float:
    """Return how far the clock is ahead now; if it was set since the look before, log that and let others know."""
    if abs(jump_s := after_s - before_s) >= SET_S:
        for other in others:
            other.clock_set(timedelta(seconds=jump_s))
        log.warning("clock.set", seconds=round(jump_s, 1), hint=HINT)
    return after_s

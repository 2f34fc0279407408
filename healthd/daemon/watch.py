"""The pause between two rounds, which ends early when the database notifies the daemon of DDL."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from time import monotonic

import structlog

from healthd.backoff import doubled_s
from healthd.config.settings import Endpoint, Target
from healthd.database.connection import connect
from healthd.database.notifications import Notifications
from healthd.errors import HealthdError
from healthd.rounds.round import Round

log = structlog.get_logger()

SETTLED_S = 0.2  # without a notification: the burst is over
MOST_S = 2.0  # that a burst without an end keeps a round waiting
REST_MOST_S = 0.5  # after a round, before the next one that is notified
SCRIPT_AFTER_S = 0.1  # a report, which others may hear of before a script takes the processor
AGAIN_S, AGAIN_MOST_S = 0.5, 15.0  # until a lost connection is tried again; doubled each time


@dataclass(slots=True)
class Burst:
    """The notifications that no round has answered yet: the first and the last, in monotonic seconds.

    The first one after a pause is answered immediately, and those that follow it together, when they have ended.
    """

    first: float | None = None
    last: float = float("-inf")
    alone: bool = True
    free_at: float = float("-inf")  # until then the daemon rests from the last round

    def hear(self, at: float) -> None:
        """Note a notification."""
        self.alone = at - self.last >= SETTLED_S
        self.first = at if self.first is None else self.first
        self.last = at

    def due_at(self) -> float | None:
        """Return when a round should begin, None if there is no notification."""
        if self.first is None:
            return None
        due_at = self.first if self.alone else min(self.last + SETTLED_S, self.first + MOST_S)
        return max(due_at, self.free_at)

    def answered(self) -> None:
        """Note that a round begins, which sees whatever was committed before."""
        self.first = None


@dataclass(slots=True)
class Pauses:
    """The pauses of all targets: the bursts of notifications, and why a target's are not received, as logged."""

    bursts: dict[str, Burst] = field(default_factory=dict)
    logged: dict[str, str | None] = field(default_factory=dict)

    async def rest(self, target: Target | Endpoint, last: Round, rest_s: float) -> bool:
        """Rest for so long, or until the database of a target has notified us of DDL; return whether it has."""
        until = monotonic() + rest_s
        session = last.session
        heard = session.notifications if session is not None and session.connection is not None else None
        if heard is not None and isinstance(target, Target):
            self._log(target.name, heard)
            burst = self.bursts.setdefault(target.name, Burst())
            burst.free_at = monotonic() + min(last.report.duration_s, REST_MOST_S)
            woken = not heard.refused and await _woken(target, heard, burst, until)
            burst.answered()
            if woken:
                return True
        await asyncio.sleep(until - monotonic())
        return False

    def _log(self, target: str, heard: Notifications) -> None:
        """Log once whether notifications are received, and why not."""
        if self.logged.get(target) == heard.refused:
            return
        self.logged[target] = heard.refused
        if heard.refused:
            log.warning("watch.refused", target=target, reason=heard.refused, hint=REFUSED)
        else:
            log.info("watch.listening", target=target)

    def follow(self, names: Collection[str]) -> None:
        """Forget the targets without one of these names."""
        self.bursts = {name: burst for name, burst in self.bursts.items() if name in names}
        self.logged = {name: why for name, why in self.logged.items() if name in names}


def pause_after_s(target: Target | Endpoint, last: Round, rest_s: float) -> float:
    """Return the pause after a round: a moment if it owes a script; and everything is read once in the interval."""
    if last.owed is not None:
        return SCRIPT_AFTER_S
    since = last.session.partial_since if last.session is not None else None
    return rest_s if since is None else min(rest_s, max(0.0, since + target.interval_s - monotonic()))


REFUSED = "rounds begin at their interval; for the DDL watch, connect directly to the primary server"


async def _woken(target: Target, heard: Notifications, burst: Burst, until: float) -> bool:
    """Return whether a round should begin; False when the time is up, or the connection was given up."""
    while not heard.connection.closed:
        try:
            for at in heard.take():
                burst.hear(at)
            due_at = burst.due_at()
            if due_at is not None and due_at <= monotonic():
                return True
            if monotonic() >= until:
                return False
            await heard.wait(min(until, due_at or until) - monotonic())
        except HealthdError:  # it is lost, and with it the notifications until there is another one
            return await _answers(target, until)
    return False


async def _answers(target: Target, until: float) -> bool:
    """Return True as soon as the server of a target accepts a connection again, False when the time is up."""
    for pause_s in _pauses_s():
        if monotonic() + pause_s >= until:
            return False
        await asyncio.sleep(pause_s)
        try:
            async with connect(target.dsn, timeout_s=target.deadline_s):
                return True
        except HealthdError:
            continue  # a round says why, when its time has come
    return False


def _pauses_s() -> Iterator[float]:
    """Yield how long to wait before each attempt."""
    for attempt in itertools.count(1):
        yield doubled_s(AGAIN_S, attempt, AGAIN_MOST_S) * random.uniform(0.8, 1.2)  # noqa: S311 # jitter

"""Waiting for locks without blocking other sessions: how long, how often, and which sessions block meanwhile."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import Any

from healthd.backoff import doubled_s
from healthd.database.blocking_sessions import BLOCKERS, BUILDING, WAITS, blocker, progress, wait_words
from healthd.text import hide

Say = Callable[[str], None]


class Retried(str):
    """The message that a file is tried again; `waited_s` is what the failed attempt and the pause after it take."""

    waited_s: float

    @classmethod
    def of(cls, text: str, waited_s: float) -> Retried:
        """Return a message with this text."""
        message = cls(text)
        message.waited_s = waited_s
        return message


def to_stderr(text: str) -> None:
    """Print a message when yoyo itself is run."""
    sys.stderr.write(f"{hide(text)}\n")


LOCK_TIMEOUT_S = 3.0
AGAIN = {"55P03": "lock not available", "40P01": "deadlock detected"}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a run waits for the locks of other sessions.

    After `lock_timeout_s` a statement leaves the queue, so that other sessions wait behind it no longer than that, and
    tries again later, for `max_wait_s` in total. None is 3 s, unless the database or the role has a lock_timeout.
    """

    lock_timeout_s: float | None = None
    max_wait_s: float = 300.0


DEFAULT = Patience()


def timeout(seconds: float) -> str:
    """Return a duration as a server's setting: at least 1 ms, because 0 would be without end."""
    return f"{max(1, round(seconds * 1000))}ms"


def pause_s(attempt: int) -> float:
    """Return the pause after an attempt (from 1): exponential, with jitter."""
    return doubled_s(0.5, attempt, 8.0) * random.uniform(0.5, 1.0)  # noqa: S311 # jitter, no secret


class Watcher(Thread):
    """Reports which sessions block a session, and the progress of its index build, while a statement takes long.

    It uses a connection of its own, which is opened when it is first needed.
    """

    AFTER_S = 0.75
    EACH_S = 0.25

    def __init__(self, dial: Callable[[], Any], pid: int, say: Say, live: Say | None) -> None:
        super().__init__(name="watcher", daemon=True)
        self._dial, self._pid, self._say, self._live = dial, pid, say, live
        self._connection: Any = None
        self._end = Event()
        self._reported = ""
        self.since: float | None = None  # when the running statement was sent
        self.blockers = ""  # the last blocking sessions

    def run(self) -> None:
        """Check periodically, until closed."""
        while not self._end.wait(self.EACH_S):
            since = self.since
            if since is not None and monotonic() - since > self.AFTER_S:
                with suppress(Exception):  # a failed check must not stop a migration
                    self._look(since)

    def close(self) -> None:
        """End the thread and its connection."""
        self._end.set()
        if self.is_alive():
            self.join(5.0)
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()

    def _look(self, since: float) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = self._dial()
        blockers = self._connection.execute(BLOCKERS, {"pid": self._pid}).fetchall()
        waits = self._connection.execute(WAITS, {"pid": self._pid}).fetchone() if blockers else None
        building = self._connection.execute(BUILDING, {"pid": self._pid}).fetchone()
        if self.since != since:
            return  # the statement has finished meanwhile
        if blockers:
            what = f"waits for {wait_words(*(waits or ()))}"
            self.blockers = "; ".join(blocker(*row) for row in blockers)
            self._report(f"{what}: blocked by {self.blockers}", f"{what} {[row[0] for row in blockers]}")
        elif building:
            words, step = progress(*building)
            self._report(words, step)

    def _report(self, words: str, reported: str) -> None:
        """Report on the line of the terminal that is rewritten; without a terminal, only what is new."""
        if self._live is not None:
            self._live(words)
        elif reported != self._reported:
            self._say(words)
        self._reported = reported

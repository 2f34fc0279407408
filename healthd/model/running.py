"""A migration that is running, as it is seen from outside: who runs it, which file, and what it waits for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from healthd.model.names import NAME_BYTES
from healthd.text import hide

OURS = "healthd/"  # how the application_name of a runner begins, unless its connection string names another one
WAITS = "(waits) "
PRINTED = re.compile(
    r"[^A-Za-z0-9_. ()/+-]"
)  # the server prints some other characters differently from version to version
NAMED = re.compile(r"(healthd/\S+) (\(waits\) )?(.+)", re.DOTALL)


def name_while(application: str, file: str, *, waits: bool = False) -> str:
    """Return the application_name of a runner while it runs a file, or waits before another attempt."""
    return PRINTED.sub("?", f"{application} {WAITS * waits}{file}")[:NAME_BYTES]


@dataclass(frozen=True, slots=True)
class Runner:
    """The session that runs migrations; its name is visible to every role."""

    pid: int
    name: str | None

    @property
    def application(self) -> str:
        """Return its application_name without what it is doing; empty without one."""
        found = NAMED.fullmatch(self.name or "")
        return hide(found[1] if found else self.name or "")

    @property
    def file(self) -> str | None:
        """Return the file that it runs, without .sql; None if its name does not contain it."""
        found = NAMED.fullmatch(self.name or "")
        return found[3] if found else None

    @property
    def pauses(self) -> bool:
        """Return whether it could not get a lock, and waits before it tries again."""
        found = NAMED.fullmatch(self.name or "")
        return found is not None and found[2] is not None

    @property
    def words(self) -> str:
        """Return who runs migrations, in words."""
        return f"{self.application or 'a session'} (server process {self.pid}) is running migrations"


@dataclass(frozen=True, slots=True)
class IndexBuild:
    """The phase of an index build, in the server's words, and the share of it that is done, None if unknown."""

    words: str
    phase: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class RunningMigration:
    """A migration that is running. What healthd's role may not see is None, and `grant` is the SQL that shows it.

    `file` is its name without .sql. `statement` of `statements` is known of a non-transactional file. `connected_at`
    is when the session began, `statement_at` when it sent what it executes now. `waits_for` is in words what it waits
    for, `blockers` are the sessions that block it (some of `blocker_count`). `pauses` is whether it could not get a
    lock and is about to try again.
    """

    pid: int
    application: str
    user: str | None = None
    file: str | None = None
    statement: int | None = None
    statements: int | None = None
    connected_at: datetime | None = None
    statement_at: datetime | None = None
    waits_for: str | None = None
    pauses: bool = False
    blockers: tuple[str, ...] = ()
    blocker_count: int = 0
    index: IndexBuild | None = None
    grant: str | None = None

    @property
    def waits(self) -> bool:
        """Return whether it makes no progress because of other sessions."""
        return self.pauses or self.waits_for is not None

    @property
    def details(self) -> tuple[str, ...]:
        """Return, in sentences without a full stop, what is known of it."""
        return tuple(self._details())

    def _details(self) -> Iterator[str]:
        if self.file:
            which = f", statement {self.statement} of {self.statements}" if self.statement is not None else ""
            yield f"file {self.file}{which}"
        if times := "; ".join(self._times()):
            yield times
        if self.waits_for is not None:
            more = self.blocker_count - len(self.blockers)
            others = f"; and {more} more" if more else ""
            yield f"waits for {self.waits_for}" + (
                f", blocked by {'; '.join(self.blockers)}{others}" if self.blockers else ""
            )
        elif self.pauses:
            yield "could not get a lock, and is about to try again"
        if self.index is not None:
            yield self.index.words
        if self.grant is not None:
            yield f"not all of it is visible to healthd: {self.grant}"

    def _times(self) -> Iterator[str]:
        if self.user:
            yield f"user {self.user}"
        if self.connected_at is not None:
            yield f"connected at {self.connected_at:%Y-%m-%d %H:%M:%S} UTC"
        if self.statement_at is not None:
            yield f"current statement since {self.statement_at:%H:%M:%S} UTC"

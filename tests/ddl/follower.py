"""What a replay knows of a database: after each statement, it reads only what that touched; and what a daemon knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Self

from ddl.kept import Kept
from healthd.comparison.roles import for_comparison
from healthd.database.connection import connect, dial
from healthd.database.snapshot.catalog_changes import CatalogChanges
from healthd.database.snapshot.change_reader import ChangeReader
from healthd.migrations.engine.watched_run import NotWatched, run_watched
from healthd.migrations.engine.yoyo_backend import Backend, opened
from healthd.model.snapshots import Difference, Snapshot, diff
from healthd.replay.mirror import Mirror
from healthd.replay.scratch import State

EVERYTHING = CatalogChanges(everything=True)


@dataclass(slots=True)
class Follower:
    """The session in which a replay runs statements, and what it knows of the database; and what a daemon knows.

    The latter has a session of its own, if at all. `quick` is how many statements needed no complete reading.
    """

    backend: Backend
    reader: ChangeReader
    user: str
    kept: Kept | None
    mirror: Mirror = field(init=False)
    quick: int = 0
    changes: CatalogChanges = field(default=EVERYTHING)  # of the last statement

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str, *, daemon: bool = True) -> AsyncIterator[Self]:
        """Open the sessions for the duration of a block; call `begin` before the first statement."""
        async with connect(url) as connection, Kept.of(url) if daemon else nullcontext() as kept:
            user = connection.info.user
            reader = ChangeReader(connection, lambda: dial(url), user)
            try:
                with opened(url, wait_s=5.0, say=lambda _: None) as backend:
                    yield cls(backend, reader, user, kept)
            finally:
                await reader.close()

    async def begin(self, snapshot: Snapshot) -> None:
        """Learn a complete reading, before the first statement."""
        self._know(snapshot)
        if self.kept is not None:
            await self.kept.know(for_comparison(snapshot, self.user))

    def _know(self, snapshot: Snapshot) -> None:
        self.mirror = Mirror(State(for_comparison(snapshot, self.user), {}))

    async def run(self, text: str) -> bool:
        """Run a statement as a replay runs a migration; return False, and change nothing, if that is not possible.

        Another session may run it then.
        """
        self.changes = EVERYTHING
        await (self.reader.remember() if "CONCURRENTLY" not in text else self.reader.forget())
        try:
            counts = run_watched(self.backend, "0001.sql", text)
        except NotWatched:
            await self.reader.forget()  # some statements wait for all older transactions
            return False
        self.changes = await self.reader.changes(counts)
        return True

    async def overlooked(self, snapshot: Snapshot) -> tuple[Difference, ...]:
        """Read what the last statement touched; return how a complete reading differs from what is then known."""
        complete = for_comparison(snapshot, self.user)
        differences: tuple[Difference, ...] = ()
        if not self.changes.everything:
            self.quick += 1
            self.mirror.take(await self.mirror.differences(self.reader, self.changes, self.user))
            differences = diff(self.mirror.state.snapshot, complete, exact=True)
        if self.changes.everything or differences:
            self._know(snapshot)
        if self.kept is None:
            return differences
        if unknown := await self.kept.overlooked(complete):
            await self.kept.know(complete)
        return (*differences, *unknown)

"""What a daemon that is woken by DDL knows of a database: after each statement, it reads only what has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Self

from healthd.database.connection import connect
from healthd.database.snapshot.catalog_image import Image
from healthd.database.snapshot.change_token import Mark, look, take_mark
from healthd.database.snapshot.image_reader import ImageReader
from healthd.database.snapshot.planned_reader import Incomplete
from healthd.errors import HealthdError
from healthd.model.snapshots import Difference, Snapshot, diff
from healthd.replay.mirror import Mirror
from healthd.replay.scratch import State


@dataclass(slots=True)
class Kept:
    """A connection that is kept, the image of the catalogs, and the objects that are known.

    `quick` is how many statements needed no complete reading.
    """

    connection: Any
    reader: ImageReader
    user: str
    image: Image = field(init=False)
    mark: Mark = field(init=False)
    mirror: Mirror = field(init=False)
    quick: int = 0

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str) -> AsyncIterator[Self]:
        """Open the connection for the duration of a block; call `know` before the first statement."""
        async with connect(url) as connection:
            user = connection.info.user
            yield cls(connection, ImageReader(connection), user)

    async def know(self, complete: Snapshot) -> None:
        """Learn a complete reading, of which the migrator is known."""
        taken = await self.reader.take(await take_mark(self.connection, busy=True), self.user)
        assert taken is not None
        self.image, self.mark = taken
        self.mirror = Mirror(State(complete, {}))

    async def overlooked(self, complete: Snapshot) -> tuple[Difference, ...]:
        """Read what has changed; return how a complete reading differs from what is then known."""
        _, now = await look(self.connection, replace(self.mark, busy=True))
        with suppress(HealthdError, Incomplete):
            async with self.reader.transaction():
                if (found := await self.reader.changes(self.image, self.mark, now)) is not None:
                    self.mirror.take(await self.mirror.differences(self.reader, found.meaning, self.user))
            if found is not None:
                self.image.learn(found.rows, found.gone)
                self.mark = now
                self.quick += 1
                return diff(self.mirror.state.snapshot, complete, exact=True)
        await self.know(complete)
        return ()

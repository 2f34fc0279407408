"""The beginning of a round that no other follows: its connections are opened before anything else is needed.

This is a module of its own because the modules that judge take longer to load than a server takes to start a session.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from healthd.config.settings import Target
from healthd.database.connection import dial
from healthd.database.open_connections import Opened, collecting
from healthd.database.snapshot.budget import Budget
from healthd.database.snapshot.reader import Reader


@dataclass(frozen=True, slots=True)
class Opening:
    """When a round began, also in monotonic seconds, and what will read the database as soon as it is connected."""

    started_at: datetime
    start_s: float
    reader: asyncio.Future[Reader]
    opened: Opened

    async def connected(self) -> Reader:
        """Return what reads the database, waiting for its connection; if the wait is cancelled, nothing stays open."""
        try:
            return await self.reader
        except asyncio.CancelledError:
            (reader,) = await asyncio.gather(self.reader, return_exceptions=True)
            if isinstance(reader, Reader):  # it was connected at that moment
                async with reader:
                    await reader.connection.close()
            raise


def begin(target: Target) -> Opening:
    """Return the beginning of a round; the round closes the connections."""
    opened = Opened()
    with collecting(opened):
        return Opening(datetime.now(UTC), monotonic(), asyncio.ensure_future(_open(target)), opened)


async def _open(target: Target) -> Reader:
    budget = Budget.of(monotonic(), target.deadline_s)
    connection = await dial(target.dsn, timeout_s=target.deadline_s)
    alone = target.tenants is None  # a second connection computes digests of whole kinds
    return Reader(connection, target.dsn, timeout_s=target.deadline_s, alone=alone, more=True, budget=budget)

"""A second connection for a process that looks once: it takes its share of what a round asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import AsyncConnection

from healthd.database.beside import Beside, read_beside
from healthd.database.connection import LIMITS, SESSION, dial, read_only, rows_of
from healthd.errors import HealthdError

# When it started, to the microsecond: no two servers have that in common.
SERVER = "SELECT pg_catalog.pg_postmaster_start_time()::text"


class Second:
    """A connection that is dialed at once, reads first what no snapshot holds, and then what it is asked.

    Whatever it cannot do is left to the first: a role may be allowed one connection, and of the several servers that a
    pooler or a list of hosts may lead to it may have found another one.
    """

    def __init__(self, dsn: str, timeout_s: float) -> None:
        self._connection: AsyncConnection[Any] | None = None
        self._beside = asyncio.ensure_future(self._start(dsn, timeout_s))

    async def _start(self, dsn: str, timeout_s: float) -> Beside | None:
        try:
            self._connection = await dial(dsn, timeout_s=timeout_s)
            return await read_beside(self._connection)
        except HealthdError:
            return None

    async def beside(self) -> Beside | None:
        """Return what no snapshot holds, None when it could not be read."""
        return await self._beside

    async def rows(self, server: str, ask: Callable[[AsyncConnection[Any]], Awaitable[list[Any]]]) -> list[Any] | None:
        """Return the rows that are asked of this server, None when that is not where it is, or it cannot tell."""
        await self._beside
        if self._connection is None:
            return None
        try:
            async with read_only(self._connection, {**SESSION, **LIMITS}):
                ((here,),) = await rows_of(self._connection, SERVER)
                return await ask(self._connection) if here == server else None
        except HealthdError:
            return None

    async def close(self) -> None:
        """Close it, whatever it is doing."""
        self._beside.cancel()
        with suppress(asyncio.CancelledError, psycopg.Error):
            await self._beside
        if self._connection is not None:
            await self._connection.close()

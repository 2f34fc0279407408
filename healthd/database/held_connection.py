"""One connection for everything that is read of a database before and after a run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import psycopg
from psycopg import AsyncConnection

from healthd.database.connection import connect, dial, rows_of
from healthd.database.driver_errors import translated
from healthd.database.dsn import Dsn


class HeldConnection:
    """A connection that is opened when it is first needed, and again if it was lost meanwhile.

    Its session has the settings of a new one, as long as its users change them only for a transaction.
    """

    def __init__(self, dsn: str | Dsn) -> None:
        self.dsn = Dsn.of(dsn)
        self._connection: AsyncConnection[Any] | None = None
        self._rested = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self.close()

    async def ready(self) -> AsyncConnection[Any]:
        """Return the connection; raise healthd's errors."""
        if self._rested and self._connection is not None and not await _answers(self._connection):
            await self.close()
        self._rested = False
        if self._connection is None:
            self._connection = await dial(self.dsn)
        return self._connection

    def rest(self) -> None:
        """Expect that the session may have ended when it is needed again."""
        self._rested = True

    async def is_limited(self) -> bool:
        """Return whether the number of connections of the role or to the database is limited."""
        with translated(self.dsn):
            ((limited,),) = await rows_of(await self.ready(), LIMITED)
        return bool(limited)

    async def close(self) -> None:
        """Close the connection; the next user opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


LIMITED = """
    SELECT pg_catalog.bool_or(l.most >= 0)
      FROM (SELECT r.rolconnlimit AS most FROM pg_catalog.pg_roles AS r WHERE r.rolname = session_user
            UNION ALL
            SELECT d.datconnlimit FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()) AS l
"""


async def _answers(connection: AsyncConnection[Any]) -> bool:
    try:
        await connection.execute("SELECT")
    except psycopg.Error:
        return False
    return True


Where = str | Dsn | HeldConnection  # what to connect to, or the connection that is held to it


def dsn_of(where: Where) -> str | Dsn:
    """Return the connection string."""
    return where.dsn if isinstance(where, HeldConnection) else where


@asynccontextmanager
async def lent(where: Where) -> AsyncIterator[AsyncConnection[Any]]:
    """Lend the connection that is held, or one that is opened for the block; raise healthd's errors."""
    if isinstance(where, HeldConnection):
        with translated(where.dsn):
            yield await where.ready()
    else:
        async with connect(where) as connection:
            yield connection

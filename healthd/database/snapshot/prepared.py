"""Statements that are planned once on a connection, and sent several in one message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection


class Prepared:
    """A connection that is used for nothing else, and the names of the statements that are prepared on it."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self.connection = connection
        self._names: dict[str, str] = {}

    async def planned(self, query: str, types: str = "(text[], oid)") -> str:
        """Return the name of a prepared statement."""
        if query not in self._names:
            name = f"healthd_{len(self._names)}"
            text = query.replace("%(books)s", "$1").replace("%(migrator)s", "$2").replace("%%", "%")
            await self.connection.execute(f"PREPARE {name} {types} AS {text}".encode())
            self._names[query] = name
        return self._names[query]

    async def rows(self, statements: Sequence[str]) -> list[list[Any]]:
        """Return the rows of each of these statements that returns any, sent as one message."""
        cursor = await self.connection.execute("; ".join(statements).encode())
        found = []
        while True:
            if cursor.pgresult is not None and cursor.pgresult.nfields:  # a description would cost more than the rows
                found.append(await cursor.fetchall())
            if not cursor.nextset():
                return found

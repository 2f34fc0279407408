"""Statements that are planned once on a connection, and sent several in one message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection, errors, generators, waiting
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus

LOOK_UP_S = 0.1  # after which the driver looks whether it was interrupted
FINE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.EMPTY_QUERY)


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
        cursor = await self.connection.execute(message(statements))
        found = []
        while True:
            if cursor.pgresult is not None and cursor.pgresult.nfields:  # a description would cost more than the rows
                found.append(await cursor.fetchall())
            if not cursor.nextset():
                return found


class PreparedAlone(Prepared):
    """The same in a process that has nothing else to do meanwhile, as a replay: nothing else runs in the event loop.

    The thread waits, which takes a fifth of what the event loop takes.
    """

    async def rows(self, statements: Sequence[str]) -> list[list[Any]]:
        """Return the rows of each of these statements that returns any, sent as one message."""
        pgconn = self.connection.pgconn
        pgconn.send_query(message(statements))
        found, transformer = [], Transformer.from_context(self.connection)
        for result in waiting.wait(generators.execute(pgconn), pgconn.socket, interval=LOOK_UP_S):
            if result.status not in FINE:
                raise errors.error_from_result(result)
            if result.nfields:
                transformer.set_pgresult(result)
                found.append(transformer.load_rows(0, result.ntuples, tuple))
        return found


def message(statements: Sequence[str]) -> bytes:
    """Return several statements as one message."""
    return "; ".join(statements).encode()

"""Connections that are idle between rounds: who keeps one, and which is closed when a connection limit is reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection

from healthd.database.dsn import Dsn

SERVER = ("host", "hostaddr", "port", "service")
FEW = 4  # targets of one server that keep their connections between rounds


@dataclass(slots=True)
class Places:
    """The idle connections of one process, the longest idle first, with their parameters.

    `crowded` are the connection strings of targets that share their server with many others, or whose databases come
    and go: their connections are not kept; nor are those beyond `most`. `refused` counts how often a connection limit
    was reached, by connection string.
    """

    resting: dict[AsyncConnection[Any], Mapping[str, str]] = field(default_factory=dict)
    crowded: frozenset[Dsn] = frozenset()
    refused: Counter[Dsn] = field(default_factory=Counter)
    most: int = 1024

    def expect(
        self, servers: Collection[tuple[str | Dsn, tuple[str, ...]]], fleeting: Collection[str | Dsn] = ()
    ) -> None:
        """Determine which targets share their server with many others; every target of the process is one of them.

        Connections of `fleeting` targets are not kept either: a session would prevent that their database is dropped.
        """
        shared = Counter(server for _, each in servers for server in each)
        crowded = (dsn for dsn, each in servers if any(shared[server] > FEW for server in each))
        self.crowded = frozenset(map(Dsn.of, (*crowded, *fleeting)))

    def keeps(self, dsn: str | Dsn) -> bool:
        """Return whether a target keeps its connection between rounds."""
        return Dsn.of(dsn) not in self.crowded and len(self.resting) < self.most

    def leave(self, connection: AsyncConnection[Any], known: Mapping[str, str]) -> None:
        """Record that a connection is now idle."""
        self.resting[connection] = known

    def take(self, connection: AsyncConnection[Any]) -> None:
        """Record that a connection is no longer idle, or is closed."""
        self.resting.pop(connection, None)

    async def free(self, wanted: Dsn, full: str) -> bool:
        """Close an idle connection that counts against the limit `full` (role, database, server), if any."""
        self.refused[wanted] += 1
        counted = (*SERVER, *{"role": ("user",), "database": ("dbname",)}.get(full, ()))
        for connection, known in self.resting.items():
            if all(known.get(name) == wanted.parameters.get(name) for name in counted):
                self.take(connection)
                await connection.close()
                return True
        return False

"""Connections that are idle between rounds: one of them is closed when a connection limit is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection

SERVER = ("host", "hostaddr", "port", "service")


@dataclass(slots=True)
class Places:
    """The idle connections of one process, the longest idle first, with their parameters."""

    resting: dict[AsyncConnection[Any], Mapping[str, str]] = field(default_factory=dict)

    def leave(self, connection: AsyncConnection[Any], known: Mapping[str, str]) -> None:
        """Record that a connection is now idle."""
        self.resting[connection] = known

    def take(self, connection: AsyncConnection[Any]) -> None:
        """Record that a connection is no longer idle, or is closed."""
        self.resting.pop(connection, None)

    async def free(self, wanted: Mapping[str, str], full: str) -> bool:
        """Close an idle connection that counts against the limit `full` (role, database, server), if any."""
        counted = (*SERVER, *{"role": ("user",), "database": ("dbname",)}.get(full, ()))
        for connection, known in self.resting.items():
            if all(known.get(name) == wanted.get(name) for name in counted):
                self.take(connection)
                await connection.close()
                return True
        return False

"""Connections that rest between rounds: one of them is given up where a server admits no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection

SERVER = ("host", "hostaddr", "port", "service")


@dataclass(slots=True)
class Places:
    """The connections of one process that rest, the one that has rested longest first, with their parameters."""

    resting: dict[AsyncConnection[Any], Mapping[str, str]] = field(default_factory=dict)

    def leave(self, connection: AsyncConnection[Any], known: Mapping[str, str]) -> None:
        """Note that a connection rests from now on."""
        self.resting[connection] = known

    def take(self, connection: AsyncConnection[Any]) -> None:
        """Note that a connection rests no more, or is gone."""
        self.resting.pop(connection, None)

    async def free(self, wanted: Mapping[str, str], full: str) -> bool:
        """Close a connection that counts against the limit that is `full` (role, database or server), if one rests."""
        counted = (*SERVER, *{"role": ("user",), "database": ("dbname",)}.get(full, ()))
        for connection, known in self.resting.items():
            if all(known.get(name) == wanted.get(name) for name in counted):
                self.take(connection)
                await connection.close()
                return True
        return False

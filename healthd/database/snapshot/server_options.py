"""Read the option entries that only the server uses; snapshots do not contain them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from healthd.catalog.scope import shared
from healthd.catalog.server_only import query
from healthd.database.connection import LIMITS, SESSION, read_only
from healthd.database.driver_errors import translated
from healthd.model.ledger import BOOKS
from healthd.model.names import Key


@dataclass(frozen=True, slots=True, order=True)
class ServerOnly:
    """One `name=value` that the server wrote for itself, the object that has it, and its column in the catalog."""

    key: Key
    catalog: str
    entry: str


async def read_server_only(connection: AsyncConnection[Any]) -> tuple[ServerOnly, ...]:
    """Return all such entries of the connection's database, sorted."""
    text = query(connection.info.server_version)
    with translated():
        async with read_only(connection, {**SESSION, **LIMITS}):
            cursor = await connection.execute(f"{shared(text)} {text}".encode(), {"books": list(BOOKS)})
            return tuple(sorted(ServerOnly(Key(row[0], tuple(row[1])), *row[2:]) for row in await cursor.fetchall()))

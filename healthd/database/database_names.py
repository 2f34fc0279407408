"""The databases of a server, for the groups of yoyo.ini."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from healthd.database.connection import LIMITS, read_only, rows_of
from healthd.errors import DatabaseFailed

MOST = 10_000  # more databases than one process watches

# Templates, databases that allow no connections, and those that a DROP DATABASE has left half-removed (-2) are not
# databases of an application. Names are bytes: each database may have an encoding of its own.
NAMES = """
    SELECT pg_catalog.textsend(d.datname::text)
      FROM pg_catalog.pg_database AS d
     WHERE d.datallowconn
       AND NOT d.datistemplate
       AND d.datconnlimit <> -2
     ORDER BY d.datname
     LIMIT %s"""


async def database_names(connection: AsyncConnection[Any]) -> tuple[str, ...]:
    """Return the names of the databases that allow connections; every role may read them.

    Raises DatabaseFailed if there are too many.
    """
    async with read_only(connection, {**LIMITS, "client_encoding": "UTF8"}):
        rows = await rows_of(connection, NAMES, [MOST + 1])
    if len(rows) > MOST:
        raise DatabaseFailed(f"the server has more than {MOST:,} databases", hint="name targets one by one")
    return tuple(bytes(name).decode(errors="replace") for (name,) in rows)

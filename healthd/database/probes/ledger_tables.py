"""The name of the database of a connection, and the tables of its ledger."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from healthd.database.connection import LIMITS, SESSION, read_only, rows_of
from healthd.model.ledger import BOOKS

LEDGER = """
    SELECT pg_catalog.current_database(), n.nspname, c.relname
      FROM (SELECT) AS one
      LEFT JOIN pg_catalog.pg_class AS c ON c.relname = ANY (%s::text[]) AND c.relkind = 'r'
      LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     ORDER BY 2, pg_catalog.array_position(%s::text[], c.relname::text)"""


async def database_and_ledger(connection: AsyncConnection[Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the name of the database, and schema and name of each table of the ledger."""
    async with read_only(connection, {**SESSION, **LIMITS}):
        rows = await rows_of(connection, LEDGER, [list(BOOKS), list(BOOKS)])
    return rows[0][0], tuple((schema, name) for _, schema, name in rows if name is not None)

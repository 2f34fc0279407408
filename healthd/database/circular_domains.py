"""Domains that are based on themselves, as only a broken catalog has them: a query on their values never ends.

It does not react to a timeout or a cancel request in the meantime either, so rows are not asked for at all.
"""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

CIRCULAR = """
    WITH RECURSIVE base AS (
        SELECT t.oid AS domain, t.typbasetype AS type, 1 AS depth
          FROM pg_catalog.pg_type AS t
         WHERE t.typtype = 'd'
        UNION ALL
        SELECT b.domain, t.typbasetype, b.depth + 1
          FROM base AS b
          JOIN pg_catalog.pg_type AS t ON t.oid = b.type
         WHERE t.typtype = 'd' AND b.depth < 100)
    SELECT EXISTS (SELECT FROM base AS b WHERE b.type = b.domain OR b.depth = 100)"""


async def has_circular_domains(connection: AsyncConnection[Any]) -> bool:
    """Return whether a query on values of this database may never end."""
    row = await (await connection.execute(CIRCULAR)).fetchone()
    return row is not None and bool(row[0])

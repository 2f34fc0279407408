"""What the role of a connection lacks to run a repair: memberships, CREATE on schemas, a server that can be written."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection, Error

from healthd.model.observations import Rights

# The lists are bounded. Until 16, each member of a role can assume it.
QUERY = """
    SELECT r.rolname, r.rolsuper, pg_catalog.pg_is_in_recovery(),
           ARRAY(SELECT o.rolname::text
                   FROM pg_catalog.pg_roles AS o
                  WHERE NOT pg_catalog.pg_has_role(r.oid, o.oid, 'USAGE')
                  LIMIT 1000),
           ARRAY(SELECT o.rolname::text
                   FROM pg_catalog.pg_roles AS o
                  WHERE NOT pg_catalog.pg_has_role(r.oid, o.oid, %s)
                  LIMIT 1000),
           ARRAY(SELECT n.nspname::text
                   FROM pg_catalog.pg_namespace AS n
                  WHERE n.nspname !~ '^pg_'
                    AND NOT pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE')
                  LIMIT 1000),
           ARRAY(SELECT o.rolname::text
                   FROM pg_catalog.pg_roles AS o
                  WHERE o.rolsuper
                  LIMIT 1000)
      FROM pg_catalog.pg_roles AS r
     WHERE r.rolname = current_user"""


def assuming(server_version: int) -> str:
    """Return the word with which pg_has_role asks whether a role may act for another; before 16 all members may."""
    return "SET" if server_version >= 160000 else "MEMBER"


async def read_rights(connection: AsyncConnection[Any]) -> Rights | None:
    """Return what the role of a connection lacks; None if the server does not say."""
    try:
        async with connection.transaction():
            row = await (
                await connection.execute(QUERY.encode(), [assuming(connection.info.server_version)])
            ).fetchone()
    except Error:
        if connection.closed:
            raise
        return None
    return Rights(*row[:3], *map(frozenset, row[3:])) if row else None

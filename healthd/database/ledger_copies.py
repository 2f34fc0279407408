"""The copies of migration files that the ledger keeps, for a release that does not have these files."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import AsyncConnection, sql

from healthd.database.connection import rows_of
from healthd.database.ledger import Ledger
from healthd.errors import PermissionDenied
from healthd.model.ledger import BOOKS, COPIES, DIGESTS, Copy
from healthd.model.migration_names import canonical
from healthd.model.names import quote

THERE = """SELECT c.relname, pg_catalog.has_table_privilege(c.oid, 'SELECT')
             FROM pg_catalog.pg_class AS c
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = %s AND c.relname = ANY (%s) AND c.relkind = 'r'"""
# As in the rest of the ledger, a mark whose hash is not that of its name does not count.
READ = """SELECT m.migration_id, c.migration, c.rollback, c.record, c.seal, h.digest, h.rollback_digest
            FROM {} AS c
            JOIN {} AS m USING (migration_hash)
            LEFT JOIN {} AS h USING (migration_hash)
           WHERE m.migration_hash = encode(sha256(convert_to(m.migration_id, 'UTF8')), 'hex')
             AND (%(all)s OR m.migration_hash = ANY (%(hashes)s))
           ORDER BY m.migration_id"""


async def read_copies(
    connection: AsyncConnection[Any], ledger: Ledger, hashes: Collection[str] | None = None
) -> tuple[Copy, ...]:
    """Return the copies of the applied migrations with these hashes, or of all; none if the ledger keeps no copies.

    Raises PermissionDenied if the role may not read them.
    """
    if len(ledger.schemas) != 1:
        return ()
    (schema,) = ledger.schemas
    there = dict(await rows_of(connection, THERE, [schema, [COPIES, DIGESTS]]))
    if there.keys() != {COPIES, DIGESTS}:
        return ()
    if not all(there.values()):
        grant = f"GRANT SELECT ON {quote(schema)}.{COPIES} TO {quote(connection.info.user)};"
        raise PermissionDenied("cannot read the copies of migration files in the ledger", grant=grant)
    query = sql.SQL(READ).format(*(sql.Identifier(schema, name) for name in (COPIES, BOOKS[0], DIGESTS)))
    cursor = await connection.execute(query, {"all": hashes is None, "hashes": list(hashes or ())}, binary=True)
    return tuple(Copy(canonical(name), *values) for name, *values in await cursor.fetchall())

"""The sizes of relations in a database: measured where no lock prevents it, otherwise read from the catalogs."""

from collections.abc import Iterable
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.scope import SCHEMA
from healthd.database.connection import LIMITS, SESSION, read_only
from healthd.errors import DatabaseFailed
from healthd.model.ledger import BOOKS
from healthd.model.names import Key
from healthd.model.observations import Size

# The size of a partitioned table is the sum of its partitions. pg_total_relation_size opens each of them; `relpages`
# is an estimate of the last VACUUM or ANALYZE, and needs no lock. That a table without a block has no rows is certain;
# that there are none because an estimate says 0 is not.
QUERY = """
    SELECT w.name,
           sum({})::bigint,
           CASE WHEN {} THEN 0
                WHEN bool_and(c.reltuples >= 0) THEN nullif(sum(c.reltuples)::bigint, 0) END
      FROM unnest(%s::text[], %s::text[], %s::text[]) AS w(name, schema, relation)
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
      JOIN pg_catalog.pg_class AS r ON r.relnamespace = n.oid AND r.relname = w.relation
     CROSS JOIN LATERAL (SELECT r.oid WHERE r.relkind NOT IN ('p', 'I')
                         UNION ALL
                         SELECT t.relid FROM pg_catalog.pg_partition_tree(r.oid) AS t
                          WHERE t.isleaf AND r.relkind IN ('p', 'I')) AS leaf(oid)
      JOIN pg_catalog.pg_class AS c ON c.oid = leaf.oid
     GROUP BY w.name"""
MEASURED = QUERY.format(
    "coalesce(pg_catalog.pg_total_relation_size(c.oid), 0)",
    "bool_and(c.relkind IN ('r', 'm') AND pg_catalog.pg_relation_size(c.oid) = 0)",
)
FROM_CATALOG = QUERY.format(
    "(c.relpages + (SELECT coalesce(sum(o.relpages), 0) FROM pg_catalog.pg_class AS o"
    " WHERE o.oid = c.reltoastrelid OR o.oid IN (SELECT i.indexrelid FROM pg_catalog.pg_index AS i"
    " WHERE i.indrelid = c.oid))) * pg_catalog.current_setting('block_size')::bigint",
    "false",
)

# Temporary relations belong to one session, and those of the ledger are in no lock file.
NAMES = f"""
    SELECT c.relkind::text, n.nspname::text, t.relname::text, c.relname::text
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
      LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
     WHERE c.relkind = ANY (%s)
       AND c.relpersistence <> 't'
       AND {SCHEMA}
       AND coalesce(t.relname, c.relname) <> ALL (%s)"""  # noqa: S608 # our own


async def read_all_sizes(connection: Any) -> dict[str, Size]:
    """Return the sizes of all relations of a database, named like keys."""
    kinds = {letter: kind.name for kind in KINDS.values() for letter in kind.relkinds}
    async with read_only(connection, {**SESSION, **LIMITS}):
        rows = await (await connection.execute(NAMES.encode(), [list(kinds), list(BOOKS)])).fetchall()
    keys = [Key(kinds[kind], tuple(filter(None, (schema, table, name)))) for kind, schema, table, name in rows]
    return await read_sizes(connection, map(str, keys))


async def read_sizes(connection: Any, names: Iterable[str]) -> dict[str, Size]:
    """Return the sizes of these relations, named like keys; relations that do not exist are omitted."""
    keys = [Key.parse(name) for name in names]
    asked = [[str(key) for key in keys], [key.path[0] for key in keys], [key.path[-1] for key in keys]]
    try:
        return await _sizes(connection, MEASURED, asked)
    except DatabaseFailed:  # a session holds a lock on one of them that also blocks readers
        return await _sizes(connection, FROM_CATALOG, asked)


async def _sizes(connection: Any, query: str, asked: list[list[str]]) -> dict[str, Size]:
    async with read_only(connection, {**SESSION, **LIMITS}):
        rows = await (await connection.execute(query.encode(), asked)).fetchall()
    return {name: Size(size_bytes, rows_) for name, size_bytes, rows_ in rows}

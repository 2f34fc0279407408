"""The version of the library that provides the sort order, and the version that indexes were built with."""

from healthd.catalog.scope import RELATION
from healthd.model.names import Key
from healthd.model.observations import SortedBy


def query(server_version: int) -> str:
    """Return the query for one server version: before 15 no version was recorded for the database itself."""
    database = """
        SELECT 'database', ARRAY[d.datname::text], d.datcollversion,
               pg_catalog.pg_database_collation_actual_version(d.oid)
          FROM pg_catalog.pg_database AS d
         WHERE d.datname = current_database()
           AND d.datcollversion <> pg_catalog.pg_database_collation_actual_version(d.oid)
         UNION ALL"""
    # Of the hundreds of collations that initdb creates, only those in use are queried: each one calls the library.
    return f"""{database if server_version >= 150000 else ""}
        SELECT 'collation', ARRAY[n.nspname::text, o.collname::text], o.collversion,
               pg_catalog.pg_collation_actual_version(o.oid)
          FROM pg_catalog.pg_collation AS o
          JOIN pg_catalog.pg_namespace AS n ON n.oid = o.collnamespace
         WHERE o.collversion IS NOT NULL
           AND o.oid IN (SELECT a.attcollation
                           FROM pg_catalog.pg_attribute AS a
                           JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
                           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                          WHERE a.attcollation > 100 -- 100 is the database's own
                            AND c.relkind IN ('r', 'p', 'm', 'i', 'I')
                            AND NOT a.attisdropped
                            AND c.relpersistence <> 't'
                            AND {RELATION})
           AND o.collversion <> pg_catalog.pg_collation_actual_version(o.oid)
         ORDER BY 1, 2"""  # noqa: S608 # texts of our own


def sorted_by(kind: str, path: list[str], recorded: str, actual: str) -> SortedBy:
    """Return the record of one row of the query."""
    return SortedBy(Key(kind, tuple(path)), recorded, actual)

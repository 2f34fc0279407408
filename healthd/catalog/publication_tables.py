"""Tables of publications: the columns and rows that logical replication sends."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.scope import RELATION, own
from healthd.model.attributes import DEPARSED
from healthd.model.kinds import Around, Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class PublicationTable:
    """A table in a publication; no `columns` means all of them. Column lists and row filters exist since 15."""

    columns: tuple[str, ...]
    where: Annotated[str | None, DEPARSED]


def repair(difference: Difference, expected: PublicationTable, _actual: PublicationTable) -> Iterator[str]:
    """Yield the SQL that restores a table in its publication, and not those that inherit from it."""
    publication, *path = map(quote, difference.key.path)
    table = ".".join(path)
    columns = f" ({', '.join(map(quote, expected.columns))})" if expected.columns else ""
    where = f" WHERE ({expected.where})" if expected.where else ""
    yield f"ALTER PUBLICATION {publication} ADD TABLE ONLY {table}{columns}{where};"


def drop(key: Key, _record: PublicationTable, _around: Around) -> Iterator[str]:
    """Yield the SQL that removes a table from its publication."""
    publication, *path = map(quote, key.path)
    yield f"ALTER PUBLICATION {publication} DROP TABLE ONLY {'.'.join(path)};"


def query(server_version: int) -> str:
    """Return the query for one server version."""
    columns = """ARRAY(SELECT a.attname::text
                       FROM pg_catalog.pg_attribute AS a
                      WHERE a.attrelid = r.prrelid
                        AND a.attnum = ANY (r.prattrs)
                      ORDER BY a.attnum)"""
    return f"""
        SELECT p.pubname, n.nspname, c.relname,
               {columns if server_version >= 150000 else "ARRAY[]::text[]"},
               {"pg_catalog.pg_get_expr(r.prqual, r.prrelid)" if server_version >= 150000 else "NULL"}
          FROM pg_catalog.pg_publication_rel AS r
          JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
          JOIN pg_catalog.pg_class AS c ON c.oid = r.prrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE {RELATION}
           AND {own("pg_class", "c.oid")}
           AND {own("pg_publication", "p.oid")}"""


KIND = Kind(
    name="publication_table",
    record=PublicationTable,
    within={"publication": 0, "schema": 1, "table": 1, "foreign_table": 1},
    depth=3,
    parent=lambda key, record: Key("publication", key.path[:1]),
    repair=repair,
    drop=drop,
    replaced=lambda difference, expected, actual: True,
    some="SELECT FROM pg_catalog.pg_publication_rel",
    names_columns=True,
    query=query,
)

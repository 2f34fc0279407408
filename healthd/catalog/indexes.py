"""Indexes that are not the tool of a constraint."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.functions import needs
from healthd.catalog.tables import options
from healthd.catalog.visible import RELATION, own
from healthd.model import DEPARSED, MINOR, Attribute, Difference, Key, Kind, Record, Severity, quote


@dataclass(frozen=True, slots=True)
class Index:
    """An index; not `valid` means that queries do not use it (a failed CREATE INDEX CONCURRENTLY).

    `statistics` are the targets of its columns (`2: 500`), `attached` the indexes of the partitions with what
    they have of their own, `needs` the extensions without which it shall not be.
    """

    unique: bool
    valid: bool
    definition: Annotated[str, DEPARSED]
    on: str = "table"  # table, materialized view
    statistics: Annotated[str | None, MINOR] = None
    tablespace: Annotated[str | None, MINOR] = None
    clustered: Annotated[bool, Attribute(None)] = False
    replica_identity: Annotated[bool, MINOR] = False
    attached: Annotated[str | None, Attribute(None)] = None
    needs: Annotated[str | None, Attribute(None)] = None


def loss(record: Record) -> Severity:
    """Return how bad a lost index is: without a unique one duplicates come in, without another it is slow."""
    return Severity.CRITICAL if record.unique else Severity.WARNING


def parent(key: Key, record: Record) -> Key:
    """Return the table or the materialized view that an index is of."""
    return Key("table" if record.on == "table" else "view", key.path[:2])


def repair(difference: Difference, expected: Index, actual: Index) -> Iterator[str]:
    """Yield the SQL that builds a lost, broken or different index without blocking writers."""
    schema, table, index = map(quote, difference.key.path)
    name = f"{schema}.{index}"
    # A partitioned index is not valid while a partition lacks its own: REINDEX builds none.
    lacking = difference.attribute == "valid" and _partitioned(expected)
    made = difference.attribute == "definition" or difference.missing or lacking
    if difference.attribute == "valid" and not lacking:
        yield f"REINDEX INDEX CONCURRENTLY {name};"
    elif made and not difference.missing:
        yield f"DROP INDEX {'' if _partitioned(expected) else 'CONCURRENTLY '}{name};"
        yield f"{_typed(expected)};"
    elif difference.missing:
        yield f"{_typed(expected)};"
    if (difference.attribute == "tablespace") or (made and expected.tablespace):
        yield f"ALTER INDEX {name} SET TABLESPACE {quote(expected.tablespace or 'pg_default')};"
    if difference.attribute == "statistics" or (made and expected.statistics):
        wanted = _targets(expected)
        lost = {} if made else dict.fromkeys(_targets(actual), "-1")
        for column, target in (lost | wanted).items():
            yield f"ALTER INDEX {name} ALTER COLUMN {column} SET STATISTICS {target};"
    if (difference.attribute == "replica_identity" or made) and expected.replica_identity:
        yield f"ALTER TABLE {schema}.{table} REPLICA IDENTITY USING INDEX {index};"


def _targets(index: Index) -> dict[str, str]:
    parts = (one.partition(": ") for one in index.statistics.split(", ")) if index.statistics else ()
    return {column: target for column, _, target in parts}


def _partitioned(index: Index) -> bool:
    return " ON ONLY " in index.definition


def _typed(index: Index) -> str:
    """Return CREATE INDEX as it is typed: CONCURRENTLY where PostgreSQL can, with the partitions where it cannot."""
    if _partitioned(index):
        return index.definition.replace(" ON ONLY ", " ON ", 1)
    return index.definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)


TABLESPACE = "(SELECT s.spcname FROM pg_catalog.pg_tablespace AS s WHERE s.oid = {}.reltablespace)"

STATISTICS = """(SELECT a.attrelid,
                     pg_catalog.string_agg(a.attnum || ': ' || a.attstattarget, ', ' ORDER BY a.attnum) AS targets
                FROM pg_catalog.pg_attribute AS a
                JOIN pg_catalog.pg_class AS r ON r.oid = a.attrelid
               WHERE r.relkind IN ('i', 'I')
                 AND a.attstattarget >= 0
               GROUP BY a.attrelid)"""

# The indexes of partitions, by the one at the root of the tree: they follow it, but have names of their own.
ATTACHED = f"""(SELECT pg_catalog.pg_partition_root(i.indexrelid) AS root,
                     pg_catalog.string_agg(
                         pg_catalog.concat_ws(
                             ' ',
                             pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
                             '(' || {options("c")} || ')',
                             'tablespace ' || {TABLESPACE.format("c")},
                             'statistics ' || s.targets,
                             CASE WHEN i.indisclustered THEN 'clustered' END,
                             CASE WHEN i.indisreplident THEN 'replica identity' END),
                         ', ' ORDER BY n.nspname, c.relname) AS names
                FROM pg_catalog.pg_index AS i
                JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
                JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                LEFT JOIN {STATISTICS} AS s ON s.attrelid = c.oid
               WHERE c.relispartition
               GROUP BY 1)"""

KIND = Kind(
    name="index",
    record=Index,
    depth=3,
    parent=parent,
    loss=loss,
    repair=repair,
    query=f"""
        SELECT n.nspname, t.relname, c.relname,
               i.indisunique,
               i.indisvalid AND i.indisready,
               pg_catalog.pg_get_indexdef(i.indexrelid),
               CASE t.relkind WHEN 'm' THEN 'materialized view' ELSE 'table' END,
               s.targets,
               {TABLESPACE.format("c")},
               i.indisclustered,
               i.indisreplident,
               a.names,
               x.names
          FROM pg_catalog.pg_index AS i
          JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
          JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          LEFT JOIN {STATISTICS} AS s ON s.attrelid = c.oid
          LEFT JOIN {ATTACHED} AS a ON a.root = c.oid
          LEFT JOIN {needs("pg_class")} AS x ON x.objid = c.oid
         WHERE t.relkind IN ('r', 'p', 'm')
           AND c.relpersistence <> 't'
           AND NOT c.relispartition -- made with the index of the parent, and lost with it
           AND t.relname <> ALL (%(books)s)
           AND NOT EXISTS (SELECT
                             FROM pg_catalog.pg_constraint AS k
                            WHERE k.conindid = i.indexrelid
                              AND k.contype IN ('p', 'u', 'x'))
           AND {RELATION}
           AND {own("pg_class", "t.oid")}""",
)

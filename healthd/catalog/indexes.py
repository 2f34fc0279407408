"""Indexes that are not the tool of a constraint."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.visible import RELATION, own
from healthd.model import DEPARSED, Difference, Key, Kind, Record, Severity, quote


@dataclass(frozen=True, slots=True)
class Index:
    """An index; not `valid` means that queries do not use it (a failed CREATE INDEX CONCURRENTLY)."""

    unique: bool
    valid: bool
    definition: Annotated[str, DEPARSED]


def loss(record: Record) -> Severity:
    """Return how bad a lost index is: without a unique one duplicates come in, without another it is slow."""
    return Severity.CRITICAL if record.unique else Severity.WARNING


def repair(difference: Difference, expected: Index, _actual: Index) -> Iterator[str]:
    """Yield the SQL that builds a lost, broken or different index without blocking writers."""
    name = f"{quote(difference.key.path[0])}.{quote(difference.key.path[2])}"
    if difference.attribute == "valid":
        yield f"REINDEX INDEX CONCURRENTLY {name};"
    elif difference.attribute == "definition":
        yield f"DROP INDEX {'' if _partitioned(expected) else 'CONCURRENTLY '}{name};"
        yield f"{_typed(expected)};"
    elif difference.missing:
        yield f"{_typed(expected)};"


def _partitioned(index: Index) -> bool:
    return " ON ONLY " in index.definition


def _typed(index: Index) -> str:
    """Return CREATE INDEX as it is typed: CONCURRENTLY where PostgreSQL can, with the partitions where it cannot."""
    if _partitioned(index):
        return index.definition.replace(" ON ONLY ", " ON ", 1)
    return index.definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)


KIND = Kind(
    name="index",
    record=Index,
    depth=3,
    parent=lambda key, record: Key("table", key.path[:2]),
    loss=loss,
    repair=repair,
    query=f"""
        SELECT n.nspname, t.relname, c.relname,
               i.indisunique,
               i.indisvalid AND i.indisready,
               pg_catalog.pg_get_indexdef(i.indexrelid)
          FROM pg_catalog.pg_index AS i
          JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
          JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
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

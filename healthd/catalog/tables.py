"""Tables: ordinary and partitioned ones, and what they descend from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.visible import RELATION, own
from healthd.model import DEPARSED, Difference, Kind


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `inherits` are the parents in order; `bound` is a partition's share of its parent."""

    unlogged: bool
    partitioned_by: Annotated[str | None, DEPARSED]
    inherits: tuple[str, ...]
    bound: Annotated[str | None, DEPARSED]
    row_security: str  # off, enabled, forced (for the owner too)


def repair(difference: Difference, expected: Table, _actual: Table) -> Iterator[str]:
    """Yield what can be done about a table; a lost one is never made again empty without a word."""
    name = difference.key.sql
    if difference.missing:
        yield f"-- {name} is gone, and its rows with it: restore it from a backup, or make it again with the"
        yield "-- migration that made it (sql/), if it may be empty."
    elif difference.attribute == "unlogged":
        yield f"ALTER TABLE {name} SET {'UNLOGGED' if expected.unlogged else 'LOGGED'};"
    elif difference.attribute == "row_security":
        yield f"ALTER TABLE {name} {'DISABLE' if expected.row_security == 'off' else 'ENABLE'} ROW LEVEL SECURITY;"
        yield f"ALTER TABLE {name} {'FORCE' if expected.row_security == 'forced' else 'NO FORCE'} ROW LEVEL SECURITY;"


KIND = Kind(
    name="table",
    record=Table,
    repair=repair,
    query=f"""
        SELECT n.nspname, c.relname,
               c.relpersistence = 'u',
               pg_catalog.pg_get_partkeydef(c.oid),
               ARRAY(SELECT i.inhparent::pg_catalog.regclass::text
                       FROM pg_catalog.pg_inherits AS i
                      WHERE i.inhrelid = c.oid
                      ORDER BY i.inhseqno),
               pg_catalog.pg_get_expr(c.relpartbound, c.oid),
               CASE WHEN NOT c.relrowsecurity THEN 'off'
                    WHEN c.relforcerowsecurity THEN 'forced'
                    ELSE 'enabled' END
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p')
           AND c.relpersistence <> 't'
           AND {RELATION}
           AND {own("pg_class", "c.oid")}""",
)

"""Ordinary and partitioned tables: their parents and their storage."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.server_only import by_server
from healthd.model.attributes import DEPARSED, MINOR, Attribute
from healthd.model.kinds import Kind
from healthd.model.names import literal, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `inherits` are the parents in order; `bound` is the partition bound.

    `column_order` lists the table's own columns in their order: a column that was dropped and created again is last.
    `replica_identity` is default, nothing, full or index. `options_order` lists the storage parameters in the order in
    which they were set, None if that is their order by name.
    """

    unlogged: bool
    partitioned_by: Annotated[str | None, DEPARSED]
    inherits: tuple[str, ...]
    bound: Annotated[str | None, DEPARSED]
    row_security: str  # off, enabled, forced (for the owner too), off but forced
    of_type: str | None = None
    replica_identity: str = "default"
    options: Annotated[str | None, MINOR] = None
    access_method: Annotated[str | None, MINOR] = None
    tablespace: Annotated[str | None, MINOR] = None
    column_order: Annotated[str | None, Attribute(None)] = None
    options_order: Annotated[str | None, Attribute(None)] = None


def repair(difference: Difference, expected: Table, actual: Table) -> Iterator[str]:
    """Yield the SQL that corrects a table; a missing table is never created again automatically, without its rows."""
    name = difference.key.sql
    if difference.missing:
        yield f"-- {name} is missing, with its rows: restore it from a backup, or create it again with the"
        yield "-- migration that created it (sql/), if it may be empty."
    elif difference.attribute == "unlogged":
        yield f"ALTER TABLE {name} SET {'UNLOGGED' if expected.unlogged else 'LOGGED'};"
    elif difference.attribute == "row_security":
        enabled, forced = expected.row_security in ("enabled", "forced"), "forced" in expected.row_security
        yield f"ALTER TABLE {name} {'ENABLE' if enabled else 'DISABLE'} ROW LEVEL SECURITY;"
        yield f"ALTER TABLE {name} {'FORCE' if forced else 'NO FORCE'} ROW LEVEL SECURITY;"
    elif difference.attribute == "options":
        yield from set_options(f"ALTER TABLE {name}", expected.options, actual.options)
    elif difference.attribute == "replica_identity" and expected.replica_identity != "index":
        yield f"ALTER TABLE {name} REPLICA IDENTITY {expected.replica_identity.upper()};"
    elif difference.attribute == "tablespace":
        yield f"ALTER TABLE {name} SET TABLESPACE {quote(expected.tablespace or 'pg_default')};"
    elif difference.attribute == "access_method" and expected.access_method:
        yield f"ALTER TABLE {name} SET ACCESS METHOD {quote(expected.access_method)};"
    elif difference.attribute == "bound" and expected.bound and actual.bound is None:
        yield f"ALTER TABLE {expected.inherits[0]} ATTACH PARTITION {name} {expected.bound};"
    elif difference.attribute == "of_type":
        yield f"ALTER TABLE {name} {f'OF {expected.of_type}' if expected.of_type else 'NOT OF'};"
    elif difference.attribute == "inherits" and (expected.bound, actual.bound) == (None, None):
        for parent in actual.inherits:
            if parent not in expected.inherits:
                yield f"ALTER TABLE {name} NO INHERIT {parent};"
        for parent in expected.inherits:
            if parent not in actual.inherits:
                yield f"ALTER TABLE {name} INHERIT {parent};"


def set_options(alter: str, expected: str | None, actual: str | None) -> Iterator[str]:
    """Yield the SQL that changes storage parameters (`fillfactor=70, toast.…`) from actual to expected."""
    wanted = dict(one.split("=", 1) for one in expected.split(", ")) if expected else {}
    lost = [one.split("=", 1)[0] for one in actual.split(", ")] if actual else []
    if lost := [name for name in lost if name not in wanted]:
        yield f"{alter} RESET ({', '.join(lost)});"
    if wanted:
        yield f"{alter} SET ({', '.join(f'{name}={literal(value)}' for name, value in wanted.items())});"


def options(relation: str, toast: str | None = None) -> str:
    """Return the SQL for storage parameters as one text, sorted by name, NULL if there are none.

    `relation` and `toast` are aliases of pg_class; parameters of the latter are named toast.…
    """
    texts = f"{relation}.reloptions"
    condition = f"{texts} IS NOT NULL"
    if toast:
        condition += f" OR {toast}.reloptions IS NOT NULL"
        more = f"ARRAY(SELECT 'toast.' || o FROM pg_catalog.unnest({toast}.reloptions) AS o)"
        texts = f"pg_catalog.array_cat({texts}, {more})"
    return (
        f"CASE WHEN {condition} THEN (SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE \"C\")"
        f" FROM pg_catalog.unnest({texts}) AS o WHERE NOT {by_server('o')}) END"
    )


def options_order(*texts: str, left_out: str = by_server("o.text")) -> str:
    """Return the SQL for the names of options in the order in which they were set; NULL if that is the order by name.

    `texts` are arrays of name=value; `left_out` is the condition for entries, o.text, that are omitted.
    """
    whole = " || ".join(texts)
    return f"""CASE WHEN pg_catalog.cardinality({whole}) > 1
                    THEN (SELECT nullif(pg_catalog.string_agg(pg_catalog.split_part(o.text, '=', 1), ', '
                                                              ORDER BY o.number),
                                        pg_catalog.string_agg(pg_catalog.split_part(o.text, '=', 1), ', '
                                                              ORDER BY o.text COLLATE "C"))
                            FROM pg_catalog.unnest({whole}) WITH ORDINALITY AS o(text, number)
                           WHERE NOT {left_out}) END"""


def column_order(kinds: str) -> str:
    """Return a subquery with the names of each relation's own columns in their order; `kinds` are relkinds."""
    return f"""(SELECT a.attrelid,
                       pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) AS names
                  FROM pg_catalog.pg_attribute AS a
                  JOIN relations AS r ON r.oid = a.attrelid
                 WHERE a.attnum > 0
                   AND NOT a.attisdropped
                   AND r.relkind IN ({kinds})
                   AND r.reloftype = 0                    -- a type says where its columns stand
                   -- A parent says where its columns stand, those too that the child has of its own.
                   AND (a.attinhcount = 0 OR r.relispartition)
                 GROUP BY a.attrelid)"""


PARENTS = """(SELECT i.inhrelid,
                     pg_catalog.array_agg(i.inhparent::pg_catalog.regclass::text ORDER BY i.inhseqno) AS names
                FROM pg_catalog.pg_inherits AS i
                JOIN pg_catalog.pg_class AS r ON r.oid = i.inhrelid AND r.relkind IN ('r', 'p', 'f')
               GROUP BY i.inhrelid)"""

ROW_SECURITY = """CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'forced'
                    WHEN c.relrowsecurity THEN 'enabled'
                    WHEN c.relforcerowsecurity THEN 'off but forced'
                    ELSE 'off' END"""

# A replica identity whose index was dropped counts as none: pg_dump does not print it.
REPLICA_IDENTITY = """CASE WHEN c.relreplident = 'f' THEN 'full'
                    WHEN c.relreplident = 'n' THEN 'nothing'
                    WHEN c.relreplident = 'i' AND EXISTS (SELECT
                                                            FROM pg_catalog.pg_index AS i
                                                           WHERE i.indrelid = c.oid
                                                             AND i.indisreplident) THEN 'index'
                    ELSE 'default' END"""

KIND = Kind(
    name="table",
    record=Table,
    relkinds="rp",
    has_rows=True,
    is_type=True,
    renamable=True,
    movable=True,
    created_as=("table",),
    placed_by=("default_tablespace", "default_table_access_method"),
    referenced=True,
    table=lambda key, record: key.path[:2],
    repair=repair,
    query=f"""
        SELECT c.nspname, c.relname,
               c.relpersistence = 'u',
               CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
               coalesce(h.names, '{{}}'),
               pg_catalog.pg_get_expr(c.relpartbound, c.oid),
               {ROW_SECURITY},
               CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END,
               {REPLICA_IDENTITY},
               {options("c", "t")},
               m.amname,
               s.spcname,
               o.names,
               {options_order("c.reloptions", "t.reloptions")}
          FROM relations AS c
          LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
          LEFT JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
          LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = c.reltablespace
          LEFT JOIN {PARENTS} AS h ON h.inhrelid = c.oid
          LEFT JOIN {column_order("'r', 'p'")} AS o ON o.attrelid = c.oid
         WHERE c.relkind IN ('r', 'p')""",
)

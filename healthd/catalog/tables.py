"""Ordinary and partitioned tables: their parents and their storage."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

from healthd.catalog.columns import Column, in_table, settled
from healthd.catalog.columns import creates as of_column
from healthd.catalog.columns import repair as repair_column
from healthd.catalog.rare_subqueries import nothing, of_inheritance
from healthd.catalog.storage_parameters import assigned, options, options_order, set_options
from healthd.model.attributes import DEPARSED, MINOR, Attribute
from healthd.model.kinds import Around, Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference
from healthd.sqltext.tokens import listed


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
    if difference.attribute == "unlogged":
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
    elif difference.attribute == DIVISION:
        yield CREATED_AGAIN.format(name)
    elif difference.attribute == "access_method" and expected.access_method and not _is_divided(expected, actual):
        yield f"ALTER TABLE {name} SET ACCESS METHOD {quote(expected.access_method)};"
    elif difference.attribute == "of_type":
        yield f"ALTER TABLE {name} {f'OF {expected.of_type}' if expected.of_type else 'NOT OF'};"
    elif difference.attribute in PARENTAGE:
        yield from leaving(name, expected, actual)
        yield from joining(name, expected, actual)


def _is_divided(expected: Table, actual: Table) -> bool:
    """Return whether only one of two tables is partitioned: then another access method follows from that."""
    return (expected.partitioned_by is None) != (actual.partitioned_by is None)


DIVISION = "partitioned_by"  # no statement changes this attribute
CREATED_AGAIN = """\
-- Give {0} another name, create it as in sql/, and copy the rows: INSERT INTO … SELECT, in one transaction.
-- Then repair what is left, and drop the other table when nobody needs it."""
PARENTAGE = ("bound", "inherits")  # the attributes that say which tables are above a table


def leaving(name: str, expected: Any, actual: Any) -> Iterator[str]:
    """Yield the SQL that takes a table from those above it that are not to be; it may be a foreign table."""
    if actual.bound is not None:
        yield from (f"ALTER TABLE {parent} DETACH PARTITION {name};" for parent in actual.inherits)
        return
    kept = kept_parents(expected, actual) if expected.bound is None else expected.inherits
    yield from (f"ALTER TABLE {name} NO INHERIT {parent};" for parent in actual.inherits if parent not in kept)


def joining(name: str, expected: Any, actual: Any) -> Iterator[str]:
    """Yield the SQL that gives a table the ones above it that it has not, or not in this order."""
    if expected.bound is not None:
        attach = f"ATTACH PARTITION {name} {expected.bound};"
        yield from (f"ALTER TABLE {parent} {attach}" for parent in expected.inherits)
        return
    kept = kept_parents(expected, actual)
    yield from (f"ALTER TABLE {name} INHERIT {parent};" for parent in expected.inherits if parent not in kept)


def kept_parents(expected: Any, actual: Any) -> tuple[str, ...]:
    """Return the tables from which a table goes on to inherit: a new one comes last, so that their order decides."""
    common = tuple(one for one in actual.inherits if one in expected.inherits)
    while common != expected.inherits[: len(common)]:
        common = common[:-1]
    return common


def create(key: Key, record: Table, around: Around) -> Iterator[str]:
    """Yield the SQL that creates a table with its columns."""
    words = [f"CREATE {'UNLOGGED ' if record.unlogged else ''}TABLE {key.sql}", head(key, record, around)]
    words += [f"PARTITION BY {record.partitioned_by}"] if record.partitioned_by else []
    words += [f"USING {quote(record.access_method)}"] if record.access_method not in (None, "heap") else []
    words += [f"WITH ({assigned(record.options, record.options_order)})"] if record.options else []
    words += [f"TABLESPACE {quote(record.tablespace)}"] if record.tablespace else []
    yield f"{' '.join(words)};"
    yield from differing(key, record, around)
    if record.row_security != "off":
        yield from repair(Difference(key, "row_security", record.row_security, "off"), record, record)
    if record.replica_identity not in ("default", "index"):
        yield f"ALTER TABLE {key.sql} REPLICA IDENTITY {record.replica_identity.upper()};"


def head(key: Key, record: Any, around: Around) -> str:
    """Return the part of CREATE TABLE that says which columns there are; `record` may be a foreign table."""
    if record.bound:
        return f"PARTITION OF {record.inherits[0]} {record.bound}"
    if getattr(record, "of_type", None):
        return f"OF {record.of_type}"
    own = (one for one in around.columns.get(key.path, ()) if not around.objects[one].inherited)
    lines = [in_table(one, around.objects[one], around) for one in _ordered(own, record.column_order)]
    parents = f" INHERITS ({', '.join(record.inherits)})" if record.inherits else ""
    columns = ",\n    ".join(lines)
    return (f"(\n    {columns}\n)" if lines else "()") + parents


def _ordered(columns: Iterable[Key], order: str | None) -> list[Key]:
    names = listed(order or "")
    return sorted(columns, key=lambda one: names.index(one.path[-1]) if one.path[-1] in names else len(names))


def differing(key: Key, record: Any, around: Around) -> Iterator[str]:
    """Yield the SQL for columns that are not what the definition, a parent or a type makes of them."""
    parents = [Key.parse(f"table:{one}").path for one in record.inherits]
    for one in around.columns.get(key.path, ()):
        column = around.objects[one]
        above = (around.objects.get(Key("column", (*path, one.path[2]))) for path in parents)
        if not (record.bound or column.inherited or getattr(record, "of_type", None)):
            yield from settled(one, column)
            if column.default is None and any(other is not None and other.default for other in above):
                yield f"ALTER TABLE {key.sql} ALTER COLUMN {quote(one.path[2])} DROP DEFAULT;"
            continue
        made = next(
            (other for other in above if other is not None), Column(column.type, False, None, "none", "none", None)
        )
        made = replace(made, statistics=None, options=None)  # these are not copied from a parent
        for name in ("default", "not_null", "storage", "compression", "statistics", "options", "foreign_options"):
            there, wanted = getattr(made, name), getattr(column, name)
            if there != wanted and column.generated == "none":
                yield from repair_column(Difference(one, name, wanted, there), column, made)


def creates(key: Key, _record: Any, around: Around) -> Iterator[Key]:
    """Yield the columns of a table, and the sequences of those that are identity columns."""
    for one in around.columns.get(key.path, ()):
        yield one
        yield from of_column(one, around.objects[one], around)


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
    create=create,
    creates=creates,
    repair=repair,
    made_of=("pg_class", "pg_attribute", "pg_index"),
    by_relation={"pg_attribute": "attrelid"},
    rare=(of_inheritance(PARENTS, nothing(inhrelid="oid", names="_text")),),
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

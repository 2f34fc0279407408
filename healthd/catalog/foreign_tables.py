"""Foreign tables: the location of their rows, and their parents."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.tables import PARENTS, column_order
from healthd.model.attributes import DEPARSED, Attribute
from healthd.model.kinds import Kind
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class ForeignTable:
    """A foreign table; `options` are its options for the server, each `name 'value'`, sorted by name."""

    server: str
    options: tuple[str, ...]
    inherits: tuple[str, ...]
    bound: Annotated[str | None, DEPARSED]
    column_order: Annotated[str | None, Attribute(None)] = None


def repair(difference: Difference, expected: ForeignTable, actual: ForeignTable) -> Iterator[str]:
    """Yield the SQL that corrects options and partitions; a missing foreign table is created by its migration."""
    name = difference.key.sql
    if difference.missing:
        yield f"-- {name} is missing; its rows are stored elsewhere: create it again with its migration (sql/)."
    elif difference.attribute == "options":
        yield f"ALTER FOREIGN TABLE {name} {generic_options(expected.options, actual.options)};"
    elif difference.attribute == "bound" and expected.bound and actual.bound is None:
        yield f"ALTER TABLE {expected.inherits[0]} ATTACH PARTITION {name} {expected.bound};"


def generic_options(expected: tuple[str, ...], actual: tuple[str, ...]) -> str:
    """Return the OPTIONS clause that changes options (each `name 'value'`) from actual to expected."""
    wanted, there = (dict(_option(one) for one in side) for side in (expected, actual))
    steps = [f"DROP {name}" for name in there if name not in wanted]
    for name, value in wanted.items():
        if there.get(name) != value:
            steps.append(f"{'SET' if name in there else 'ADD'} {name} {value}")
    return f"OPTIONS ({', '.join(steps)})"


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition(" '")
    return name, f"'{value}"


def generic(options: str) -> str:
    """Return the SQL for the options of a foreign table or column (a text[] of name=value), sorted by name."""
    return f"""CASE WHEN {options} IS NOT NULL
                    THEN ARRAY(SELECT pg_catalog.quote_ident(o.option_name) || ' '
                                          || '''' || pg_catalog.replace(o.option_value, '''', '''''') || ''''
                                 FROM pg_catalog.pg_options_to_table({options}) AS o
                                ORDER BY o.option_name)
                    ELSE '{{}}' END"""


KIND = Kind(
    name="foreign_table",
    record=ForeignTable,
    grant_noun="TABLE",
    relkinds="f",
    has_rows=True,
    is_type=True,
    renamable=True,
    movable=True,
    created_as=("table",),
    referenced=True,
    table=lambda key, record: key.path[:2],
    repair=repair,
    some="SELECT FROM pg_catalog.pg_foreign_table",
    query=f"""
        SELECT c.nspname, c.relname,
               pg_catalog.quote_ident(s.srvname),
               {generic("f.ftoptions")},
               coalesce(h.names, '{{}}'),
               pg_catalog.pg_get_expr(c.relpartbound, c.oid),
               o.names
          FROM pg_catalog.pg_foreign_table AS f
          JOIN relations AS c ON c.oid = f.ftrelid
          JOIN pg_catalog.pg_foreign_server AS s ON s.oid = f.ftserver
          LEFT JOIN {PARENTS} AS h ON h.inhrelid = c.oid
          LEFT JOIN {column_order("'f'")} AS o ON o.attrelid = c.oid""",
)

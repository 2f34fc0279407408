"""Foreign tables: the location of their rows, and their parents."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.generic_options import generic, generic_options
from healthd.catalog.tables import PARENTAGE, PARENTS, column_order, creates, differing, head, joining, leaving
from healthd.model.attributes import DEPARSED, Attribute
from healthd.model.kinds import Around, Kind
from healthd.model.names import Key
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
    """Yield the SQL that corrects options and parents; a missing foreign table is created by its migration."""
    name = difference.key.sql
    if difference.attribute == "options":
        yield f"ALTER FOREIGN TABLE {name} {generic_options(expected.options, actual.options)};"
    elif difference.attribute in PARENTAGE:
        yield from leaving(name, expected, actual)
        yield from joining(name, expected, actual)


def create(key: Key, record: ForeignTable, around: Around) -> Iterator[str]:
    """Yield the SQL that creates a foreign table with its columns."""
    options = (
        f" {generic_options(record.options, ()).replace('(ADD ', '(').replace(', ADD ', ', ')}"
        if record.options
        else ""
    )
    yield f"CREATE FOREIGN TABLE {key.sql} {head(key, record, around)} SERVER {record.server}{options};"
    yield from differing(key, record, around)


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
    create=create,
    creates=creates,
    repair=repair,
    replaced=lambda difference, expected, actual: difference.attribute == "server",
    some="SELECT FROM pg_catalog.pg_foreign_table",
    made_of=("pg_foreign_table", "pg_class", "pg_attribute"),
    by_relation={"pg_foreign_table": "ftrelid"},
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

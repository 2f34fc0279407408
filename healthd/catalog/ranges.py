"""Range types, each with its multirange type."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Around, Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Range:
    """A range type; `multirange` is None if it has the default name."""

    subtype: str
    operator_class: str
    collation: str | None
    canonical: str | None
    difference: str | None
    multirange: str | None


def repair(difference: Difference, expected: Range, _actual: Range) -> Iterator[str]:
    """Yield the SQL that creates a range type; only its names can be altered."""
    words = {
        "subtype": expected.subtype,
        "subtype_opclass": expected.operator_class,
        "collation": expected.collation,
        "canonical": expected.canonical,
        "subtype_diff": expected.difference,
        "multirange_type_name": expected.multirange,
    }
    text = ", ".join(f"{name} = {value}" for name, value in words.items() if value)
    name = difference.key.sql
    if difference.missing:
        yield f"CREATE TYPE {name} AS RANGE ({text});"


# The name from the server's makeMultirangeTypeName(): "multirange" replaces the first "range", or is appended.
MULTIRANGE = """CASE WHEN m.typnamespace <> t.typnamespace
                      OR m.typname <> CASE WHEN t.typname ~ 'range'
                                           THEN pg_catalog.regexp_replace(t.typname, 'range', 'multirange')
                                           ELSE t.typname || '_multirange'
                                      END
                    THEN pg_catalog.format_type(m.oid, NULL) END"""


def query(server_version: int) -> str:
    """Return the query for one server version: multiranges exist since 14."""
    multirange = server_version >= 140000
    return f"""
        SELECT n.nspname, t.typname,
               pg_catalog.format_type(r.rngsubtype, NULL),
               pg_catalog.quote_ident(o.nspname) || '.' || pg_catalog.quote_ident(c.opcname),
               CASE WHEN r.rngcollation <> s.typcollation THEN r.rngcollation::pg_catalog.regcollation::text END,
               nullif(r.rngcanonical::text, '-'),
               nullif(r.rngsubdiff::text, '-'),
               {MULTIRANGE if multirange else "NULL"}
          FROM pg_catalog.pg_range AS r
          JOIN pg_catalog.pg_type AS t ON t.oid = r.rngtypid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
          JOIN pg_catalog.pg_type AS s ON s.oid = r.rngsubtype
          JOIN pg_catalog.pg_opclass AS c ON c.oid = r.rngsubopc
          JOIN pg_catalog.pg_namespace AS o ON o.oid = c.opcnamespace
          {"JOIN pg_catalog.pg_type AS m ON m.oid = r.rngmultitypid" if multirange else ""}
         WHERE {SCHEMA}
           AND {own("pg_type", "t.oid")}"""


def shell(key: Key, record: Range) -> str:
    """Return the SQL for a type that is only a name: its canonical function needs it, and it needs the function."""
    return f"CREATE TYPE {key.sql};" if record.canonical else ""


def drop(key: Key, record: Range, _around: Around) -> Iterator[str]:
    """Yield the SQL that drops a type, with the function that needs it and that it needs."""
    yield f"DROP TYPE {key.sql}{' CASCADE' if record.canonical else ''};"


def put_aside(key: Key, record: Range, name: str, around: Around) -> Iterator[str]:
    """Yield the SQL that gives a type, its multirange type and their constructor functions other names.

    Of these, only those whose arguments another type's would have, too.
    """
    yield f"ALTER TYPE {key.sql} RENAME TO {quote(name)};"
    for arguments in (f"{record.subtype}, {record.subtype}", f"{record.subtype}, {record.subtype}, text"):
        yield f"ALTER FUNCTION {key.sql}({arguments}) RENAME TO {quote(name)};"
    if around.server_version >= 140000:
        usual = Key("range", (key.path[0], multirange(key.path[1])))
        other = (Key.parse(f"range:{record.multirange}") if record.multirange else usual).sql
        yield f"ALTER TYPE {other} RENAME TO {quote(multirange(name))};"
        yield f"ALTER FUNCTION {other}() RENAME TO {quote(multirange(name))};"


def multirange(name: str) -> str:
    """Return the name that the multirange type of a range type has by default."""
    whole = name.replace("range", "multirange", 1) if "range" in name else f"{clipped(name, 52)}_multirange"
    return clipped(whole, 63)


def clipped(name: str, size_bytes: int) -> str:
    """Return as many whole characters of a name as fit."""
    return name.encode()[:size_bytes].decode(errors="ignore")


KIND = Kind(
    name="range",
    record=Range,
    noun="TYPE",
    is_type=True,
    renamable=True,
    movable=True,
    created_as=("type",),
    referenced=True,
    repair=repair,
    shell=shell,
    drop=drop,
    put_aside=put_aside,
    replaced=lambda difference, expected, actual: True,
    some="SELECT FROM pg_catalog.pg_range AS o WHERE o.rngtypid >= 16384",
    query=query,
)

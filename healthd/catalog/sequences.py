"""Sequences: their parameters, never their last values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.roles import written
from healthd.catalog.scope import SERVING
from healthd.model.attributes import MINOR, Record
from healthd.model.kinds import Around, Kind
from healthd.model.names import Key, literal, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence; `owned_by` is `schema.table.column`, `identity` is whether it belongs to an identity column."""

    type: str
    start: Annotated[int, MINOR]
    increment: int
    minimum: Annotated[int, MINOR]
    maximum: int
    cycle: bool
    cache: Annotated[int, MINOR]
    owned_by: Annotated[str | None, MINOR]
    identity: bool
    unlogged: Annotated[bool, MINOR] = False


def parent(key: Key, record: Record) -> Key | None:
    """Return the column that owns a sequence, or its schema."""
    return Key.parse(f"column:{record.owned_by}") if record.owned_by else Key("schema", key.path[:1])


def _is_owned(record: Sequence | None) -> bool:
    return record is not None and record.owned_by is not None


def repair(difference: Difference, expected: Sequence, actual: Sequence) -> Iterator[str]:
    """Yield the SQL that creates a sequence or corrects its parameters."""
    name = difference.key.sql
    if difference.attribute == "owned_by":
        yield f"ALTER SEQUENCE {name} OWNED BY {expected.owned_by or 'NONE'};"
    elif difference.attribute == "unlogged":
        yield f"ALTER SEQUENCE {name} SET {'UNLOGGED' if expected.unlogged else 'LOGGED'};"
    elif difference.attribute is not None:
        # All parameters at once: a limit may be valid for the expected type only.
        yield from _within(name, expected, actual)
        yield f"ALTER SEQUENCE {name} {counting(expected)};"
    elif difference.missing and not expected.identity:  # that of an identity column is created with the column
        yield f"CREATE {'UNLOGGED ' if expected.unlogged else ''}SEQUENCE {name} {counting(expected)};"


def replaced(difference: Difference, _expected: Sequence, _actual: Sequence) -> bool:
    """Return whether a sequence must be dropped and created: none becomes that of an identity column."""
    return difference.attribute == "identity"


def _within(name: str, expected: Sequence, actual: Sequence) -> Iterator[str]:
    """Yield the SQL that brings the next number within its limits, if it only has to go on further: none is used again.

    Its value after that is a question of its own: `beyond`.
    """
    up = expected.increment > 0
    limit, last, sign = (expected.minimum, actual.minimum, "<") if up else (expected.maximum, actual.maximum, ">")
    if limit != last and actual.minimum <= limit <= actual.maximum:
        yield f"SELECT pg_catalog.setval({literal(name)}, {limit}, false) FROM {name} WHERE last_value {sign} {limit};"


def beyond(key: Key, expected: Sequence) -> str:
    """Return a query that finds a row if a sequence has counted further than it may."""
    limit = f"> {expected.maximum}" if expected.increment > 0 else f"< {expected.minimum}"
    return f"SELECT FROM {key.sql} WHERE last_value {limit}"


def drawn(default: str | None) -> Iterator[Key]:
    """Yield the sequences from which the default of a column takes numbers."""
    for name in NEXT.findall(default or ""):
        yield Key.parse(f"sequence:{name.replace(QUOTES, QUOTE)}")


QUOTE, QUOTES = "'", "''"
NEXT = re.compile(r"\bnextval\('((?:[^']|'')+)'::regclass\)")
INTEGERS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def is_integer(type_: str) -> bool:
    """Return whether the numbers of a column with this type can be compared with those of a sequence."""
    return type_ in INTEGERS


def complete(key: Key, record: Sequence, around: Around) -> Iterator[str]:
    """Yield the SQL that ties a sequence to its column, and lets it go on after the numbers that columns have."""
    column = Key.parse(f"column:{record.owned_by}") if record.owned_by else None
    if record.identity and column:  # it exists since its column is an identity column, and has that type
        typed = column not in around.objects or around.objects[column].type == record.type
        if not typed or (column not in around.new and Key("table", column.path[:2]) not in around.new):
            yield f"ALTER SEQUENCE {key.sql} {counting(record)};"
        return
    if column:
        yield from tied(key, record, around)
    for one in dict.fromkeys((*([column] if column else []), *around.drawing.get(key, ()))):
        if Key("table", one.path[:2]) not in around.new and one not in around.new and one in around.objects:
            yield from above(key, record, one, around.objects[one].type)


def above(key: Key, record: Sequence, column: Key, type_: str) -> Iterator[str]:
    """Yield the SQL after which a sequence goes on after the numbers that a column has: it never goes back."""
    if (most := INTEGERS.get(type_)) is None:
        return
    up, name = record.increment > 0, quote(column.path[-1])
    value, sign = (f"pg_catalog.max({name})", ">=") if up else (f"pg_catalog.min({name})", "<=")
    limit = f" WHERE {name} <= {record.maximum}" if up and record.maximum < most else ""
    if not up and record.minimum > -most - 1:
        limit = f" WHERE {name} >= {record.minimum}"
    table = Key("table", column.path[:2]).sql
    yield (
        f"SELECT pg_catalog.setval({literal(key.sql)}, {value}) FROM {table}{limit} "
        f"HAVING {value} {sign} (SELECT last_value FROM {key.sql});"
    )


def tied(key: Key, record: Sequence, around: Around) -> Iterator[str]:
    """Yield the SQL that ties a new sequence to its column: both have the same owner, once the table has its own."""
    table = Key("table", Key.parse(f"column:{record.owned_by}").path[:2])
    owner = around.objects.get(Key("owner", ("table", *table.path)))
    if owner is not None and table not in around.new:
        yield f"ALTER SEQUENCE {key.sql} OWNER TO {written(owner.role)};"
    yield f"ALTER SEQUENCE {key.sql} OWNED BY {record.owned_by};"


def counting(sequence: Sequence, *, typed: bool = True) -> str:
    """Return the parameters of a sequence, as in CREATE and ALTER SEQUENCE; an identity column has the type itself."""
    return (
        f"{f'AS {sequence.type} ' if typed else ''}INCREMENT BY {sequence.increment} MINVALUE {sequence.minimum} "
        f"MAXVALUE {sequence.maximum} START WITH {sequence.start} CACHE {sequence.cache} "
        f"{'CYCLE' if sequence.cycle else 'NO CYCLE'}"
    )


def query(version: int) -> str:
    """Return the query for one version: before PostgreSQL 15 only sequences of unlogged tables were unlogged."""
    unlogged = "c.relpersistence = 'u'" if version >= 150000 else "coalesce(t.relpersistence = 'u', false)"
    return f"""
        SELECT c.nspname, c.relname,
               pg_catalog.format_type(s.seqtypid, NULL),
               s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle, s.seqcache,
               pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname)
                   || '.' || pg_catalog.quote_ident(a.attname),
               coalesce(d.deptype = 'i', false),
               {unlogged}
          FROM {SERVING}"""


KIND = Kind(
    name="sequence",
    record=Sequence,
    relkinds="S",
    renamable=True,
    movable=True,
    referenced=True,
    table=lambda _key, record: Key.parse(f"column:{record.owned_by}").path[:2] if _is_owned(record) else None,
    parent=parent,
    repair=repair,
    replaced=replaced,
    follows_type=True,
    complete=complete,
    completed=frozenset({"owned_by"}),
    made_of=("pg_sequence", "pg_class", "pg_depend"),
    by_relation={"pg_sequence": "seqrelid"},
    query=query,
)

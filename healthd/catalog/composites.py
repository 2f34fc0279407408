"""Composite types: row types without a table."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from healthd.catalog.retyping import cast
from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Composite:
    """A composite type; each of its `attributes`, in order, is name, type and collation as in SQL."""

    attributes: tuple[str, ...]


def repair(difference: Difference, expected: Composite, actual: Composite) -> Iterator[str]:
    """Yield the SQL that creates a type, or changes its attributes, which columns of the type permit."""
    name = difference.key.sql
    if difference.missing:
        yield f"CREATE TYPE {name} AS ({', '.join(expected.attributes)});"
        return
    for old, new in renamed(expected.attributes, actual.attributes):
        yield f"ALTER TYPE {name} RENAME ATTRIBUTE {named(old)[0]} TO {named(new)[0]} CASCADE;"
    there = _restored(expected.attributes, actual.attributes)
    kept = _kept(expected.attributes, there)
    steps = [f"DROP ATTRIBUTE {named(one)[0]} CASCADE" for one in there if one not in kept]  # in typed tables too
    steps += [f"ADD ATTRIBUTE {one} CASCADE" for one in expected.attributes[len(kept) :]]
    if steps:
        yield f"ALTER TYPE {name} {', '.join(steps)};"


def replaced(_difference: Difference, expected: Composite, actual: Composite) -> bool:
    """Return whether attributes must be moved or get another type, which only a new type can do with their values."""
    lost = {named(one)[0] for one in dropped(expected.attributes, actual.attributes)}
    return not lost.isdisjoint(named(one)[0] for one in expected.attributes)


def dropped(expected: tuple[str, ...], actual: tuple[str, ...]) -> tuple[str, ...]:
    """Return the attributes that ALTER TYPE drops, some of them to add them again: it adds only at the end."""
    there = _restored(expected, actual)
    kept = _kept(expected, there)
    return tuple(one for one in there if one not in kept)


def added(expected: tuple[str, ...], actual: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the attributes that no value of the actual type has."""
    there = {named(one)[0] for one in _restored(expected, actual)}
    return tuple(name for name in (named(one)[0] for one in expected) if name not in there)


def _restored(expected: tuple[str, ...], actual: tuple[str, ...]) -> tuple[str, ...]:
    """Return the actual attributes under their expected names."""
    names = dict(renamed(expected, actual))
    return tuple(names.get(one, one) for one in actual)


def _kept(expected: tuple[str, ...], actual: tuple[str, ...]) -> tuple[str, ...]:
    """Return the attributes that stay: all that are expected, or as many at the beginning as are in order."""
    common = tuple(one for one in actual if one in expected)
    while common != expected[: len(common)]:
        common = common[:-1]
    return common


def renamed(expected: tuple[str, ...], actual: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return (actual, expected) for attributes that differ in nothing but their names; others come after all these."""
    names = [{named(one)[0] for one in side} for side in (expected, actual)]
    pairs = [(old, new) for new, old in zip(expected, actual, strict=False) if old != new]
    same = all(named(old)[1] == named(new)[1] for old, new in pairs)
    apart = all(named(old)[0] not in names[0] and named(new)[0] not in names[1] for old, new in pairs)
    return tuple(pairs) if same and apart else ()


def named(attribute: str) -> tuple[str, str]:
    """Return the name of an attribute as it is written in SQL, and its type."""
    match = ATTRIBUTE.match(attribute)
    return (match[1], match[2]) if match else (attribute, "")


def rebuilt(value: str, key: Key, expected: Composite, actual: Composite, again: Collection[str] = ()) -> str:
    """Return SQL for a value of the actual type as one of the expected, attribute by attribute.

    `again` are the types that are created again, too: only the text of a value is one of both types.
    """
    there = dict(map(named, actual.attributes))
    parts = (
        _part(f"({value}).{name}", of_type, there[name], again) if name in there else "NULL"
        for name, of_type in map(named, expected.attributes)
    )
    return f"CASE WHEN {value} IS DISTINCT FROM NULL THEN ROW({', '.join(parts)})::{key.sql} END"


def _part(value: str, to: str, of: str, again: Collection[str]) -> str:
    if to == of and to.removesuffix("[]") in again:
        return f"{value}::text{'[]' if to.endswith('[]') else ''}::{to}"
    return cast(value, to, of)


ATTRIBUTE = re.compile(r'("(?:[^"]|"")+"|[^ ]+) (.*)\Z', re.DOTALL)


KIND = Kind(
    name="composite",
    record=Composite,
    noun="TYPE",
    is_type=True,
    renamable=True,
    movable=True,
    created_as=("type",),
    referenced=True,
    repair=repair,
    replaced=replaced,
    some="SELECT FROM pg_catalog.pg_class AS o WHERE o.oid >= 16384 AND o.relkind = 'c'",
    query=f"""
        SELECT n.nspname, c.relname,
               ARRAY(SELECT pg_catalog.concat_ws(' ',
                                                 pg_catalog.quote_ident(a.attname),
                                                 pg_catalog.format_type(a.atttypid, a.atttypmod),
                                                 CASE WHEN a.attcollation <> t.typcollation
                                                      THEN 'COLLATE ' || a.attcollation::pg_catalog.regcollation
                                                 END)
                       FROM pg_catalog.pg_attribute AS a
                       JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
                      WHERE a.attrelid = c.oid
                        AND a.attnum > 0
                        AND NOT a.attisdropped
                      ORDER BY a.attnum)
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind = 'c'
           AND {SCHEMA}
           AND {own("pg_type", "c.reltype")}""",
)

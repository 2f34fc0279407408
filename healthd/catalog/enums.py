"""Enum types: their labels, in the order in which PostgreSQL sorts them."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.names import literal
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum type; `labels` are in sort order (source: pg_enum.enumsortorder)."""

    labels: tuple[str, ...]


def repair(difference: Difference, expected: Enum, _actual: Enum) -> Iterator[str]:
    """Yield the SQL that restores a type's labels, as far as this is possible without a new type."""
    name = difference.key.sql
    if difference.missing:
        yield f"CREATE TYPE {name} AS ENUM ({', '.join(map(literal, expected.labels))});"
    elif difference.attribute == "labels":
        yield from relabel(name, difference.expected, difference.actual)


def replaced(difference: Difference, _expected: Enum, _actual: Enum) -> bool:
    """Return whether labels must be removed or moved: only a new type can do that."""
    return [] != list(_left(difference.expected, difference.actual))


def _left(expected: tuple[str, ...], actual: tuple[str, ...]) -> Iterator[str]:
    return (one for one in relabel("", expected, actual) if one.startswith("--"))


def relabel(name: str, expected: tuple[str, ...], actual: tuple[str, ...]) -> Iterator[str]:
    """Yield the statements from the actual labels to the expected ones."""
    labels = list(actual)
    for old, new in renamed(expected, actual):
        yield f"ALTER TYPE {name} RENAME VALUE {literal(old)} TO {literal(new)};"
        labels[labels.index(old)] = new
    for position, label in enumerate(expected):
        if label not in labels:
            where = f" AFTER {literal(expected[position - 1])}" if position else ""
            if not position and labels:
                where = f" BEFORE {literal(labels[0])}"
            yield f"ALTER TYPE {name} ADD VALUE {literal(label)}{where};"
            labels.insert(labels.index(expected[position - 1]) + 1 if position else 0, label)
    if tuple(labels) != expected:
        yield (
            f"-- PostgreSQL can neither drop nor move a label of {name}: create a new type with the labels "
            f"({', '.join(map(literal, expected))}), convert the columns, drop the old type."
        )


def renamed(expected: tuple[str, ...], actual: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return (actual, expected) for each renamed label: same position, and neither name elsewhere on the other side."""
    if len(expected) != len(actual):
        return ()
    pairs = [(old, new) for new, old in zip(expected, actual, strict=True) if old != new]
    return () if any(old in expected or new in actual for old, new in pairs) else tuple(pairs)


def moved(expected: tuple[str, ...], actual: tuple[str, ...]) -> bool:
    """Return whether a label that both have is at another place, as far as new and missing labels do not explain it."""
    if len(expected) == len(actual):
        return any(one != other and other in expected for one, other in zip(expected, actual, strict=True))
    wanted, there = [one for one in expected if one in actual], [one for one in actual if one in expected]
    return wanted != there


KIND = Kind(
    name="enum",
    record=Enum,
    noun="TYPE",
    is_type=True,
    always_read=True,
    check="enums",
    renamable=True,
    movable=True,
    created_as=("type",),
    referenced=True,
    repair=repair,
    replaced=replaced,
    query=f"""
        SELECT n.nspname, t.typname,
               ARRAY(SELECT v.enumlabel::pg_catalog.text
                       FROM pg_catalog.pg_enum AS v
                      WHERE v.enumtypid = t.oid
                      ORDER BY v.enumsortorder)
          FROM pg_catalog.pg_type AS t
          JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
         WHERE t.typtype = 'e'
           AND {SCHEMA}
           AND {own("pg_type", "t.oid")}""",
)

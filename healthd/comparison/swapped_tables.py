"""Tables of one schema that have exchanged their names: every query reads one in place of the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from healthd.comparison.changed_tables import owners
from healthd.comparison.followers import testimony
from healthd.comparison.renames import inside, named_back
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot

Objects = Mapping[Key, Record]
Swaps = dict[Key, Key]  # from the actual key to the expected one
Columns = Mapping[tuple[str, ...], Mapping[Any, tuple[Any, ...]]]  # of each table

PARTS = ("column", "index", "constraint")


def may_be_exchanged(expected: Snapshot, actual: Snapshot) -> bool:
    """Return whether at least two tables that both sides have differ in their parts."""
    kinds = frozenset(PARTS) - actual.omitted
    one, other = (
        {key: record for key, record in side.objects.items() if key.kind in kinds} for side in (expected, actual)
    )
    unlike = one.keys() ^ other.keys() | {key for key in one.keys() & other.keys() if _differ(one[key], other[key])}
    tables = {Key("table", key.path[:2]) for key in unlike}
    return sum(table in expected.objects and table in actual.objects for table in tables) > 1


def exchanged_back(expected: Snapshot, actual: Snapshot) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with such tables under their expected names, and a difference for each.

    Each table has all columns of the one whose name it has. That it was exchanged shows in the names of its indexes,
    which a rename leaves as they are, or in its columns, if these are other ones. If one was also changed, something
    else that follows a table must say so; and nothing may say that only names of indexes were exchanged.
    """
    found: Swaps = {}
    columns = inside("table", expected.objects), inside("table", actual.objects)
    for names in _circles(_candidates(expected.objects, actual.objects, columns)):
        told = testimony(expected, actual, names)
        alike = all(_shape(key, columns[0]) == _shape(there, columns[1]) for there, key in names.items())
        if False not in told and (alike or True in told):
            found |= names
    return named_back(expected, actual, "table", dict(sorted(found.items())))


def _candidates(expected: Objects, actual: Objects, columns: tuple[Columns, Columns]) -> Swaps:
    """Return the tables that may have the name of another one: first those with all columns of that."""
    common = [key for key in expected if key.kind == "table" and key in actual and not _bound(expected[key])]
    indexed = _by_indexes(expected, actual)
    changed = {key for key in common if columns[0].get(key.path) != columns[1].get(key.path)}
    shaped = defaultdict[object, list[Key]](list)  # of thousands of changed tables, those with the same columns
    for key in common:
        if key in changed:
            shaped[_shape(key, columns[1])].append(key)
    taken: Swaps = {}
    for key in common:
        there = indexed.get(key)
        if there is None and key in changed:
            same = [one for one in shaped.get(_shape(key, columns[0]), ()) if one not in taken]
            there = same[0] if len(same) == 1 else None
        if there is not None and _may_be(key, there, expected) and _shape(key, columns[0]) == _shape(there, columns[1]):
            taken[there] = key
    named = set(taken.values())
    for key in common:
        there = indexed.get(key)
        if there is not None and _may_be(key, there, expected) and there not in taken and key not in named:
            taken[there] = key
    return taken


def _may_be(key: Key, there: Key, expected: Objects) -> bool:
    return there != key and there in expected and there.path[0] == key.path[0]


def _circles(names: Swaps) -> Iterator[Swaps]:
    """Yield the tables of which each has the name of the next one, and the last one that of the first one."""
    done = set[Key]()
    for start in names:
        circle, key = {start: names[start]}, names[start]
        while key != start and key in names and key not in circle:
            circle[key] = names[key]
            key = names[key]
        if key == start and start not in done:
            done |= circle.keys()
            yield circle


def _shape(key: Key, columns: Columns) -> object:
    """Return the schema and the columns of a table."""
    return key.path[0], frozenset(columns.get(key.path, {}).items())


def _differ(one: Record, other: Record) -> bool:
    return one is not other and one != other


def _bound(record: Record) -> bool:
    return getattr(record, "bound", None) is not None


def _by_indexes(expected: Objects, actual: Objects) -> Swaps:
    """Return for each expected table the actual one that has all its indexes; none for tables without an index."""
    there, found = owners(actual), defaultdict[Key, set[Key | None]](set)
    for name, key in owners(expected).items():
        found[key].add(there.get(name))
    return {key: one for key, tables in found.items() if len(tables) == 1 and (one := next(iter(tables))) is not None}

"""Tables of one schema that have exchanged their names: every query reads one in place of the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from healthd.comparison.changed_tables import owners
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
    which a rename leaves as they are, or in its columns, if these are other ones.
    """
    return named_back(expected, actual, "table", dict(sorted(_swapped(expected.objects, actual.objects))))


def _swapped(expected: Objects, actual: Objects) -> Iterator[tuple[Key, Key]]:
    """Yield (the actual key, the expected key) of all tables in cycles of names."""
    columns = inside("table", expected), inside("table", actual)
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
        if (
            there is not None
            and there != key
            and there in expected
            and _shape(key, columns[0]) == _shape(there, columns[1])
        ):
            taken[there] = key
    yield from ((there, key) for there, key in taken.items() if _returns(there, taken))


def _returns(start: Key, names: Mapping[Key, Key]) -> bool:
    """Return whether a table is in a cycle of names."""
    key = names[start]
    for _ in names:
        if key == start:
            return True
        if key not in names:
            return False
        key = names[key]
    return False


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

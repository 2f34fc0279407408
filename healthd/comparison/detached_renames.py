"""Partitions that were detached and renamed as well: only one table that nobody expects has their columns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from healthd.comparison.changed_tables import KEYS
from healthd.comparison.renames import inside, named_back
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot

Objects = Mapping[Key, Record]


def detached_back(expected: Snapshot, actual: Snapshot) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with such tables under their expected names, and a difference for each.

    Their rows are still there: without this, the partition would be created without them. A copy of a partition has
    the same columns, too, and so nothing is assumed if there are several such tables, or several such partitions, or
    if a table has no index that was named after the partition, although the partition had one.
    """
    return named_back(expected, actual, "table", dict(_pairs(expected.objects, actual.objects)))


def _pairs(expected: Objects, actual: Objects) -> Iterator[tuple[Key, Key]]:
    """Yield (the actual key, the expected key) where both are unambiguous."""
    lost = [key for key in expected.keys() - actual.keys() if _is_partition(key, expected[key], actual)]
    extra = [key for key in actual.keys() - expected.keys() if key.kind == "table" and not actual[key].inherits]
    if not lost or not extra:
        return
    wanted, found = (inside("table", side) for side in (expected, actual))
    names = _names(actual)
    shaped = defaultdict[Any, list[Key]](list)
    for key in sorted(extra):
        shaped[_shape(key, actual[key], found)].append(key)
    many = Counter(_shape(key, expected[key], wanted) for key in lost)
    for key in sorted(lost):
        shape = _shape(key, expected[key], wanted)
        if many[shape] == 1 and len(shaped[shape]) == 1:
            (former,) = shaped[shape]
            above = Key.parse(f"table:{expected[key].inherits[0]}")
            if _is_named_after(key, names[former.path]) or not (names[former.path] or names[above.path]):
                yield former, key


def _is_partition(key: Key, record: Record, actual: Objects) -> bool:
    """Return whether a table is a partition of one that exists."""
    return key.kind == "table" and record.bound is not None and Key.parse(f"table:{record.inherits[0]}") in actual


def _names(objects: Objects) -> Mapping[tuple[str, ...], list[str]]:
    """Return the names of the indexes and keys of each table, by its path."""
    found = defaultdict[tuple[str, ...], list[str]](list)
    for key, record in objects.items():
        if key.kind == "index" or (key.kind == "constraint" and record.type in KEYS):
            found[key.path[:2]].append(key.path[2])
    return found


def _is_named_after(table: Key, names: Iterable[str]) -> bool:
    """Return whether the server chose one of these names for a table: it shortens that of the table if it is long."""
    return any(name.startswith(table.path[1][:28]) for name in names)


def _shape(key: Key, record: Record, columns: Mapping[tuple[str, ...], Mapping[Any, tuple[Any, ...]]]) -> Any:
    """Return schema, partition key and columns; since 17 a partition has the identity columns of its table."""
    found = ((name, *column[:2], column[3]) for name, column in columns.get(key.path, {}).items())
    return key.path[0], record.partitioned_by, frozenset(found)

"""Partitions that were detached and renamed as well: only one table that nobody expects has their columns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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
    if a table has no index that was named after the partition, although the partition had one. If columns have other
    types, it must have one, or a NOT NULL that was named after the partition or the table above it.
    """
    return named_back(expected, actual, "table", dict(_pairs(expected.objects, actual.objects)))


def _pairs(expected: Objects, actual: Objects) -> Iterator[tuple[Key, Key]]:
    """Yield (the actual key, the expected key) where both are unambiguous."""
    lost = {key for key in expected.keys() - actual.keys() if _is_partition(key, expected[key], actual)}
    extra = {key for key in actual.keys() - expected.keys() if key.kind == "table" and not actual[key].inherits}
    if not lost or not extra:
        return
    names = _names(actual)
    for typed in (True, False):
        found = [
            (former, key)
            for former, key in _matches(expected, actual, lost, extra, typed=typed)
            if _was(former, key, Key.parse(f"table:{expected[key].inherits[0]}"), names, typed=typed)
        ]
        yield from found
        lost -= {key for _, key in found}
        extra -= {former for former, _ in found}


def _matches(
    expected: Objects, actual: Objects, lost: Iterable[Key], extra: Iterable[Key], *, typed: bool
) -> Iterator[tuple[Key, Key]]:
    """Yield (the actual key, the expected key) where no other table has the same columns."""
    wanted, found = (inside("table", side) for side in (expected, actual))
    shaped = defaultdict[Any, list[Key]](list)
    for key in sorted(extra):
        shaped[_shape(key, actual[key], found, typed=typed)].append(key)
    many = Counter(_shape(key, expected[key], wanted, typed=typed) for key in lost)
    for key in sorted(lost):
        shape = _shape(key, expected[key], wanted, typed=typed)
        if many[shape] == 1 and len(shaped[shape]) == 1:
            yield shaped[shape][0], key


def _was(former: Key, key: Key, above: Key, names: Names, *, typed: bool) -> bool:
    """Return whether the names in a table are those of a partition: with other types there must be one of them."""
    if _is_named_after(key, names.of_indexes[former.path]):
        return True
    if names.of_indexes[former.path] or names.of_indexes[above.path]:
        return False
    return typed or any(_is_named_after(one, names.of_columns[former.path]) for one in (key, above))


def _is_partition(key: Key, record: Record, actual: Objects) -> bool:
    """Return whether a table is a partition of one that exists."""
    return key.kind == "table" and record.bound is not None and Key.parse(f"table:{record.inherits[0]}") in actual


@dataclass(frozen=True, slots=True)
class Names:
    """The names that the server has chosen for parts of tables, or anybody else, by the paths of these tables."""

    of_indexes: Mapping[tuple[str, ...], list[str]]  # and of keys
    of_columns: Mapping[tuple[str, ...], list[str]]  # of their NOT NULL, since 18, which are not as usual


def _names(objects: Objects) -> Names:
    indexes, columns = (defaultdict[tuple[str, ...], list[str]](list) for _ in range(2))
    for key, record in objects.items():
        if key.kind == "index" or (key.kind == "constraint" and record.type in KEYS):
            indexes[key.path[:2]].append(key.path[2])
        elif key.kind == "column" and record.not_null_name:
            columns[key.path[:2]].append(record.not_null_name)
    return Names(indexes, columns)


def _is_named_after(table: Key, names: Iterable[str]) -> bool:
    """Return whether the server chose one of these names for a table: it shortens that of the table if it is long."""
    return any(name.startswith(table.path[1][:28]) for name in names)


def _shape(
    key: Key, record: Record, columns: Mapping[tuple[str, ...], Mapping[Any, tuple[Any, ...]]], *, typed: bool
) -> Any:
    """Return schema, partition key and columns; since 17 a partition has the identity columns of its table."""
    first = 0 if typed else 1  # the type
    found = ((name, *column[first:2], column[3]) for name, column in columns.get(key.path, {}).items())
    return key.path[0], record.partitioned_by, frozenset(found)

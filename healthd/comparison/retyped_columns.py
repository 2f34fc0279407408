"""Columns that were renamed and changed as well: they stand where the missing column stood, and none was dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from healthd.comparison.other_parents import is_of_other_parent
from healthd.comparison.renames import under_other_names
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.observations import TouchedColumn
from healthd.model.snapshots import NAME_OF, Difference, Snapshot
from healthd.sqltext.tokens import listed

History = Mapping[Key, Sequence[TouchedColumn]]  # of a table's columns, in the order of their numbers


def retyped_back(expected: Snapshot, actual: Snapshot, history: History) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with such columns under their expected names, and a difference for each.

    The history shows whether a column was dropped by hand. Without it nothing is assumed: a dropped column and a new
    one look the same.
    """
    found: list[Difference] = []
    for table, columns in history.items():
        if table not in expected.objects or any(one.name is None and not one.untouched for one in columns):
            continue
        for key, there in tuple(_pairs(table, expected.objects, actual.objects)):
            names = {there: key, **dict(_inherited(there, key.path[2], expected.objects, actual.objects))}
            actual = replace(actual, objects=under_other_names(expected.objects, actual.objects, "column", names))
            found.append(Difference(key, NAME_OF, key.path[2], there.path[2]))
    return actual, tuple(found)


def _inherited(
    there: Key, name: str, expected: Mapping[Key, Record], actual: Mapping[Key, Record]
) -> Iterator[tuple[Key, Key]]:
    """Yield (the actual key, the expected key) of the same column in the tables below: a rename reaches all of them."""
    parents = {key: one.inherits for key, one in actual.items() if getattr(one, "inherits", ())}
    below, waiting = set[Key](), [Key("table", there.path[:2])]
    while waiting:
        table = waiting.pop()
        heirs = {key for key, above in parents.items() if table.sql in above} - below
        below |= heirs
        waiting += heirs
    for table in below:
        own, key = (Key("column", (*table.path, one)) for one in (there.path[2], name))
        if own in actual and own not in expected and key not in actual:
            yield own, key


def _pairs(table: Key, expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> Iterator[tuple[Key, Key]]:
    """Yield (the expected key, the actual key) of columns at the same place, each of which only one side has."""
    if table not in actual:
        return
    wanted, there = (listed(side[table].column_order or "") for side in (expected, actual))
    if len(wanted) != len(there):
        return
    for name, other in zip(wanted, there, strict=True):
        key, own = Key("column", (*table.path, name)), Key("column", (*table.path, other))
        lost, new = key in expected and key not in actual, own in actual and own not in expected
        if name != other and lost and new and not is_of_other_parent(own, expected, actual):
            yield key, own

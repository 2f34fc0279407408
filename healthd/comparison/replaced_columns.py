"""Columns that got the name of another one that was dropped: their values are there, under that name.

By their names, the one that was renamed is missing, and the other one may have another type. The numbers of the columns
tell which of them is which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from healthd.comparison.column_origins import Origins, origins
from healthd.comparison.renames import same_record
from healthd.comparison.swapped_texts import renamed_back
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.observations import TouchedColumn
from healthd.model.snapshots import NAME_OF, SWAPPED, Difference, Snapshot
from healthd.sqltext.tokens import listed

History = Mapping[Key, Sequence[TouchedColumn]]  # of a table's columns, in the order of their numbers
Objects = Mapping[Key, Record]
Names = Mapping[str, str]  # from a column's actual name to its expected one


def replaced_back(
    expected: Snapshot, actual: Snapshot, history: History, earlier: Iterable[Difference]
) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with such columns under their expected names, and a difference for each.

    `earlier` are the names that other passes have restored: those in the history are as they were. Both snapshots must
    be complete.
    """
    swaps = {one.key: dict(zip(one.actual, one.expected, strict=True)) for one in earlier if one.attribute == SWAPPED}
    renamed = {one.key for one in earlier if one.attribute != SWAPPED}
    found: list[Difference] = []
    for table, columns in history.items():
        there = actual.objects.get(table)
        if there is None or table not in expected.objects or there.bound is not None or table in renamed:
            continue
        if any(one.name is None and not one.untouched for one in columns):
            names = swaps.get(table, {})
            now = [replace(one, name=names.get(one.name or "", one.name)) for one in columns]
            names = dict(_renamed(table, now, expected.objects, actual.objects))
            actual = replace(actual, objects=renamed_back(table.path, names, expected.objects, actual.objects))
            found += [Difference(_column(table, own), NAME_OF, own, name) for name, own in names.items()]
    return actual, tuple(found)


def _renamed(
    table: Key, columns: Sequence[TouchedColumn], expected: Objects, actual: Objects
) -> Iterator[tuple[str, str]]:
    """Yield (the actual name, the expected name) of the columns that were renamed, each before the one it replaces."""
    order = _order(table, expected)
    if (known := origins(order, columns)) is None:
        return
    for name in order:
        names = _chain(name, known) if _column(table, name) not in actual else {}
        if all(
            same_record(expected[_column(table, own)], actual.get(_column(table, there)), names)
            for there, own in names.items()
        ) and (not expected[table].inherits or _is_another(table, names, expected, actual)):
            yield from names.items()


def _chain(name: str, known: Origins) -> Names:
    """Return the columns that were renamed because this name became free: the one that had it, and so on."""
    present = {was: there for there, was in known.items() if was is not None}
    names: dict[str, str] = {}
    while name in present:
        there = present.pop(name)
        names[there] = name
        name = there
    return names


def _is_another(table: Key, names: Names, expected: Objects, actual: Objects) -> bool:
    """Return whether one of these columns differs from the expected one of its present name."""
    return any(
        (column := _column(table, there)) in expected and not same_record(expected[column], actual[column], {})
        for there in names
    )


def _order(table: Key, objects: Objects) -> list[str]:
    """Return the names of all columns of a table in their order, those of its parents first, as CREATE TABLE does it.

    With ALTER TABLE … INHERIT they may be in any order: then the names do not prove enough by themselves.
    """
    record = objects.get(table)
    above = (name for one in getattr(record, "inherits", ()) for name in _order(Key.parse(f"table:{one}"), objects))
    own = listed(getattr(record, "column_order", None) or "")
    return list(dict.fromkeys((*above, *own)))


def _column(table: Key, name: str) -> Key:
    return Key("column", (*table.path, name))

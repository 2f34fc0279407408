"""Range types that were renamed: each keeps its multirange type, whose name is another one and may be new, too."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from healthd.catalog.ranges import multirange_type
from healthd.comparison.renames import same_record, under_other_names
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import NAME_OF, Difference, Snapshot

Objects = Mapping[Key, Record]


def ranges_back(expected: Snapshot, actual: Snapshot) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with the expected names of range types, and a difference for each that was renamed.

    A range type was renamed if exactly one is missing and exactly one unexpected one, in the same schema, is equal to
    it. What has a multirange type with another name has the expected one; that is a difference of the range type.
    """
    if not any(key.kind == "range" for key in actual.objects):
        return actual, ()
    found = dict(_pairs(expected.objects, actual.objects))
    respelled = {there: _named(key, there, actual) for there, key in found.items()}
    names = {**found, **dict(_multiranges(expected, actual, found))}
    if not names:
        return actual, ()
    there = {**actual.objects, **respelled}
    objects = under_other_names(expected.objects, there, "range", names)
    for one, record in there.items():
        if one.kind == "range":  # the new name of its multirange type is a difference
            key = found.get(one, one)
            objects[key] = replace(objects[key], multirange=record.multirange)
    renamed = (Difference(key, NAME_OF, key.path[1], there.path[1]) for there, key in found.items())
    return replace(actual, objects=objects), tuple(renamed)


WITH_MULTIRANGES = 140000


def _pairs(expected: Objects, actual: Objects) -> Iterator[tuple[Key, Key]]:
    """Yield (the actual key, the expected key) of range types that differ only in their names."""
    missing, extra = (
        sorted(key for key in one.keys() - other.keys() if key.kind == "range")
        for one, other in ((expected, actual), (actual, expected))
    )
    could = {key: [one for one in extra if _is_same(expected, key, actual, one)] for key in missing}
    wanted = [one for candidates in could.values() for one in candidates]
    for key, candidates in could.items():
        if len(candidates) == 1 and wanted.count(candidates[0]) == 1:
            yield candidates[0], key


def _is_same(expected: Objects, key: Key, actual: Objects, there: Key) -> bool:
    same = same_record(replace(expected[key], multirange=None), replace(actual[there], multirange=None), {})
    return same and key.path[0] == there.path[0]


def _named(key: Key, there: Key, actual: Snapshot) -> Record:
    """Return the record of a range type under its expected name: its multirange type may have the default name then."""
    record = actual.objects[there]
    if actual.server_version < WITH_MULTIRANGES:
        return record
    name = multirange_type(there, record)
    by_default = multirange_type(key, replace(record, multirange=None))
    return replace(record, multirange=None if name == by_default else name.sql)


def _multiranges(expected: Snapshot, actual: Snapshot, renamed: Mapping[Key, Key]) -> Iterator[tuple[Key, Key]]:
    """Yield (the actual key, the expected key) of multirange types with other names, as if they were range types."""
    for there, record in actual.objects.items() if actual.server_version >= WITH_MULTIRANGES else ():
        if there.kind == "range" and (key := renamed.get(there, there)) in expected.objects:
            name, wanted = multirange_type(there, record), multirange_type(key, expected.objects[key])
            if name != wanted:
                yield name, wanted

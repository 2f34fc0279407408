"""A table that was attached by hand is one cause: what it had of its own is still there, as a part of the other one."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from healthd.comparison.partitions import above, attached_names, partitions, said
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot


def attached(expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> Iterator[Key]:
    """Yield the tables that are partitions and should not be."""
    for key, record in actual.items():
        if key.kind in ("table", "foreign_table") and record.bound is not None:
            wanted = expected.get(key)
            if wanted is not None and wanted.bound is None:
                yield key


def with_attached(expected: Snapshot, actual: Snapshot) -> Snapshot:
    """Return the actual side with the constraints and indexes that attached tables have and share with the other one.

    DETACH makes them their own again.
    """
    tables = {key.path for key in attached(expected.objects, actual.objects)}
    listed, found = partitions(actual), dict(actual.objects)
    parts = [(key, one) for key, one in actual.objects.items() if key.kind in PARTS]
    for key, record in expected.objects.items():
        if key.kind in PARTS and key.path[:2] in tables and key not in found:
            over = set(above(key.path[:2], listed))
            others = ((other, one) for other, one in parts if other.kind == key.kind and other.path[:2] in over)
            if any(said(one) == said(record) and _is_shared(key, record, other, one) for other, one in others):
                found[key] = record
    return replace(actual, objects=found)


PARTS = ("constraint", "index")


def _is_shared(key: Key, record: Record, other: Key, one: Record) -> bool:
    """Return whether a table has this object of its own as a part of one above it that says the same."""
    if getattr(record, "type", "") == "check":
        return key.path[2] == other.path[2]
    if getattr(record, "type", "") == "foreign key":
        return True
    return Key("", (key.path[0], key.path[2])).sql in attached_names(one)

"""Tables that were renamed and changed as well: no other has their indexes, or is the same partition."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from healthd.comparison.renames import named_back
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot

KEYS = ("primary key", "unique", "exclusion")  # constraints that have an index of their name


def changed_back(expected: Snapshot, actual: Snapshot) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with such tables under their expected names, and a difference for each.

    A rename leaves the names of indexes as they are. A table that was dropped took its indexes with it, and another
    one has indexes of other names, unless somebody gave it the old ones. No two partitions of a table have the same
    bound. Columns say nothing: many tables have such.
    """
    return named_back(expected, actual, "table", dict(_pairs(expected.objects, actual.objects)))


def _pairs(expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> Iterator[tuple[Key, Key]]:
    """Yield (the actual key, the expected key) where both are unambiguous."""
    missing, extra = (
        {key for key in one.keys() - other.keys() if key.kind == "table"}
        for one, other in ((expected, actual), (actual, expected))
    )
    if not missing or not extra:
        return
    owned = owners(actual)
    could = defaultdict[Key, set[Key]](set)
    for name, key in owners(expected).items():
        if key in missing and name in owned:
            could[key].add(owned[name])
    wanted = Counter(there for candidates in could.values() for there in candidates)
    for key, candidates in sorted(could.items()):
        there = next(iter(candidates))
        if len(candidates) == 1 and there in extra and wanted[there] == 1 and there.path[0] == key.path[0]:
            yield there, key


def owners(objects: Mapping[Key, Record]) -> dict[tuple[str, str], Key]:
    """Return the tables by schema and name of their indexes, and the partitions by their table and their bound."""
    found: dict[tuple[str, str], Key] = {}
    for key, record in objects.items():
        if key.kind == "index" or (key.kind == "constraint" and record.type in KEYS):
            found[key.path[0], key.path[2]] = Key("table", key.path[:2])
        elif key.kind == "table" and record.bound:
            found[record.inherits[0], record.bound] = key
    return found

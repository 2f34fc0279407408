"""The comparison of a database of which only a few objects differ: no other object is compared.

The passes match what is missing with what is unexpected, look at the columns of a table in their order, and compare
partitions with their parents. Where nothing of that kind is to be done, they look only at objects that differ and at
what is at the same place; then the result is that of a comparison of everything. Otherwise there is none here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from healthd.catalog import KINDS
from healthd.comparison.near_objects import NearObjects
from healthd.comparison.passes import Comparison, Given, compare
from healthd.comparison.roles import for_comparison
from healthd.config.settings import Target
from healthd.database.snapshot.transaction import Reading
from healthd.expected.places import Places
from healthd.model.attributes import Record
from healthd.model.kinds import Path
from healthd.model.names import Key, place_of
from healthd.model.snapshots import Difference, Snapshot, diff
from healthd.rounds.sides import Promise, of_reader
from healthd.sqltext.tokens import listed

MOST = 100  # objects that differ; more are compared with all others


def near_comparison(target: Target, promise: Promise, reading: Reading, places: Places) -> Comparison | None:
    """Return the comparison of a reading of changes; None if it depends on other objects."""
    deviations = reading.deviations
    if not deviations or len(deviations) > MOST or target.partitions or reading.touched or promise.tenants is not None:
        return None
    near = near_places(deviations)
    raw = places.expected(promise.applied, near)
    expected, actual = _sides(places.lock_file.server_version, raw, reading)
    if not _is_simple(expected, actual, diff(expected, actual)):
        return None
    owner = reading.ledger.owner
    given = Given({}, {}, owner, lambda side: side)
    found = compare(expected, actual, given)

    def at(place: Path) -> Mapping[Key, Record]:
        objects = places.expected(promise.applied, {place, place[:1]})
        return for_comparison(Snapshot(expected.server_version, objects), owner).objects

    def whole(side: Snapshot) -> Snapshot:
        return replace(
            side, objects=NearObjects(side.objects, near, KINDS, at, lambda kind: promise.of({kind}).objects)
        )

    return replace(found, expected=whole(found.expected), actual=whole(found.actual), aligned=whole(found.aligned))


def near_places(deviations: Mapping[Key, Record]) -> frozenset[Path]:
    """Return the places of objects that differ, and their schemas."""
    found = {place_of(key) for key in deviations}
    return frozenset(found | {place[:1] for place in found})


def _sides(version: int, raw: Mapping[Key, Record], reading: Reading) -> tuple[Snapshot, Snapshot]:
    """Return what is expected near the objects that differ, and what is there."""
    ours, owner = frozenset(of_reader(reading)), reading.ledger.owner
    every = {**raw, **(reading.deviations or {})}
    there = {key: one for key, one in every.items() if one is not None and key not in ours}
    actual = Snapshot(reading.snapshot.server_version, there)
    return for_comparison(Snapshot(version, raw), owner), for_comparison(actual, owner)


def _is_simple(expected: Snapshot, actual: Snapshot, differences: tuple[Difference, ...]) -> bool:
    """Return whether nothing was moved, renamed or swapped, and nothing is part of a tree of tables."""
    missing, unexpected = any(one.missing for one in differences), any(one.unexpected for one in differences)
    if missing and unexpected:
        return False
    every = (*expected.objects.values(), *actual.objects.values())
    if any(getattr(one, "inherits", None) or getattr(one, "bound", None) for one in every):
        return False
    return all(_same_order(record, actual.objects.get(key)) for key, record in expected.objects.items())


def _same_order(record: Record, other: Record | None) -> bool:
    wanted, there = getattr(record, "column_order", None), getattr(other, "column_order", None)
    if wanted is None or there is None or wanted == there:
        return True
    one, two = listed(wanted), listed(there)
    return [name for name in one if name in two] == [name for name in two if name in one]

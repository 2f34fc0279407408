"""Objects that could not be read because another session has locked their table: unknown, neither equal nor missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from healthd.comparison.rotated_tables import there_of
from healthd.model.findings import Evidence, Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, UNREADABLE, Difference, Snapshot
from healthd.text import some

NAMED = 5  # objects that a message names; the finding's facts contain all


def assumed(expected: Snapshot, actual: Snapshot) -> Snapshot:
    """Return the actual objects as the passes see them: with the expected record of each locked object.

    Nothing is then taken for a rename of a locked object, or for its consequence. `diff` reports it all the same.
    """
    there = {key: expected.objects[key] for key in actual.locked if key in expected.objects}
    return replace(actual, objects={**actual.objects, **there}) if there else actual


def followed(actual: Snapshot, found: Iterable[Difference]) -> Snapshot:
    """Return the actual objects with the locked ones under the expected names of their tables and schemas."""
    if not actual.locked:
        return actual
    names = {there_of(one).path: one.key.path for one in found if one.attribute in (NAME_OF, SCHEMA_OF, PLACE_OF)}
    return replace(actual, locked={_under(key, names): lock for key, lock in actual.locked.items()})


def _under(key: Key, names: Mapping[tuple[str, ...], tuple[str, ...]]) -> Key:
    for length in (2, 1):
        if (path := names.get(key.path[:length])) is not None:
            return Key(key.kind, (*path, *key.path[length:]))
    return key


def folded(differences: Iterable[Difference], evidence: Evidence) -> Iterator[Difference]:
    """Yield the differences; of those about locked objects, one for each locked table."""
    tables: set[Key] = set()
    for one in differences:
        lock = evidence.locked.get(one.key) if one.attribute == UNREADABLE else None
        if lock is None:
            yield one
        elif lock.table not in tables:
            tables.add(lock.table)
            yield one


def finding(evidence: Evidence, difference: Difference) -> Finding:
    """Return the finding on all objects of one check that could not be read because of the same locked table."""
    kinds, lock = evidence.kinds, evidence.locked[difference.key]
    check = kinds[difference.key.kind].check
    keys = sorted(
        key for key, one in evidence.locked.items() if one.table == lock.table and kinds[key.kind].check == check
    )
    names = tuple(map(str, keys))
    own = lock.table.kind in kinds and kinds[lock.table.kind].check == check
    return Finding(
        "cannot_compare",
        lock.table if own else keys[0],
        f"{lock.reason}: {some(names, NAMED)} cannot be read",
        Severity.UNKNOWN,
        facts={"objects": names},
    )

"""How close a database is to each version in the lock file, without a full comparison with each."""

from collections.abc import Mapping

from healthd import catalog
from healthd.expected.lockfile import LockFile, fold
from healthd.model.attributes import Record
from healthd.model.names import Key


def misfits(lock: LockFile, actual: Mapping[Key, Record]) -> tuple[int, ...]:
    """Return how many objects are not as expected: before the first migration, and after each."""
    ours = frozenset(catalog.names(lambda kind: not kind.if_unusual))  # the others differ between databases
    objects = dict(lock.base)
    wrong = sum(objects.get(key) != actual.get(key) for key in objects.keys() | actual.keys() if key.kind in ours)
    counts = [wrong]
    for migration in lock.migrations:
        for effect in migration.effects:
            if effect.key.kind in ours:
                there = actual.get(effect.key)
                wrong -= objects.get(effect.key) != there
                fold(objects, effect)
                wrong += objects.get(effect.key) != there
        counts.append(wrong)
    return tuple(counts)

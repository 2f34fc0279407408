"""How close a database is to each version in the lock file, without a full comparison with each."""

from collections.abc import Mapping

from healthd.expected.lockfile import LockFile, fold
from healthd.model.attributes import Record
from healthd.model.names import Key

BESIDE = frozenset({"owner", "grant", "default_privileges"})  # they differ between databases, not between versions


def misfits(lock: LockFile, actual: Mapping[Key, Record]) -> tuple[int, ...]:
    """Return how many objects are not as expected: before the first migration, and after each."""
    objects = dict(lock.base)
    wrong = sum(objects.get(key) != actual.get(key) for key in objects.keys() | actual.keys() if key.kind not in BESIDE)
    counts = [wrong]
    for migration in lock.migrations:
        for effect in migration.effects:
            if effect.key.kind not in BESIDE:
                there = actual.get(effect.key)
                wrong -= objects.get(effect.key) != there
                fold(objects, effect)
                wrong += objects.get(effect.key) != there
        counts.append(wrong)
    return tuple(counts)

"""What a database can have, and no migration can create: an invalid index, a foreign key whose triggers are off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from healthd.catalog.indexes import is_partitioned
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot

STATES = ("valid", "switched_off")  # the attributes that say so


@dataclass(frozen=True, slots=True)
class Possible:
    """The objects of a database as a migration can create them; `instead` says what to do about the others."""

    actual: Snapshot
    instead: Mapping[Key, str]

    def creates(self, one: Difference) -> bool:
        """Return whether a migration can create a difference."""
        return one.key not in self.instead or not (
            one.attribute in STATES or (one.unexpected and one.key.kind == "index")
        )


def possible(expected: Snapshot, actual: Snapshot) -> Possible:
    """Return the actual side with valid indexes and active foreign keys, but for those that are expected otherwise."""
    instead = dict(_impossible(expected.objects, actual.objects))
    created = {key: _created(expected.objects.get(key), actual.objects[key]) for key in instead}
    return Possible(replace(actual, objects={**actual.objects, **created}) if instead else actual, instead)


def _impossible(expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> Iterator[tuple[Key, str]]:
    """Yield the objects in such a state, with what to do instead."""
    for key, record in actual.items():
        known = expected.get(key)
        if key.kind == "index" and not (record.valid or is_partitioned(record)) and getattr(known, "valid", True):
            name = Key("", (key.path[0], key.path[2])).sql
            drop = "" if known else f"DROP INDEX CONCURRENTLY {name}; or "
            yield key, f"no migration creates an invalid index: {drop}REINDEX INDEX CONCURRENTLY {name};"
        elif key.kind == "constraint" and record.switched_off and not getattr(known, "switched_off", False):
            table = Key("table", key.path[:2]).sql
            enable = f"ALTER TABLE {table} ENABLE TRIGGER ALL;"
            yield key, f"no migration switches off the triggers of a foreign key: healthd repair, or {enable}"


def _created(expected: Record | None, actual: Record) -> Record:
    """Return an object as a migration can create it."""
    if hasattr(actual, "valid"):
        return replace(actual, valid=True)
    return replace(actual, switched_off=False, partitions=getattr(expected, "partitions", None))

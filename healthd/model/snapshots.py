"""All objects of a database at one instant, and how two snapshots differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from healthd.model.attributes import Record, attributes
from healthd.model.names import Key
from healthd.model.respelling import respelled


@dataclass(frozen=True, slots=True, order=True)
class TableLock:
    """The table (or view) that another session has locked, so that objects of it could not be read."""

    table: Key
    reason: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All objects of one database at one instant.

    `server_version` is PostgreSQL's number (180004 = 18.4); `unreadable` names each kind that could not be
    read, with the reason; `omitted` names the kinds that were not read, because a digest proved that they match.
    `locked` are objects that exist, and could not be read because of a lock: `objects` does not contain them.
    `alike` are schemas whose objects were not read, because digests proved that they are like their template.
    """

    server_version: int
    objects: Mapping[Key, Record]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    omitted: frozenset[str] = frozenset()
    locked: Mapping[Key, TableLock] = field(default_factory=dict)
    alike: frozenset[str] = frozenset()

    @property
    def readable(self) -> bool:
        """Return whether everything could be read."""
        return not self.unreadable and not self.locked


Place = tuple[Key, str | None]  # an object, and an attribute of it where only that differs


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement: an attribute, or the entire object if `attribute` is None.

    For an entire object the missing side is None and the other side is the record. `rivals` are tables that could be
    this one as well, if it has another name or place.
    """

    key: Key
    attribute: str | None
    expected: Any
    actual: Any
    rivals: tuple[Key, ...] = field(default=(), kw_only=True)

    @property
    def place(self) -> Place:
        """Return the object and the attribute: two differences with the same place are about the same thing."""
        return self.key, self.attribute

    @property
    def missing(self) -> bool:
        """Return whether the entire object is expected but does not exist; not so for a missing default of a column."""
        return self.attribute is None and self.actual is None

    @property
    def unexpected(self) -> bool:
        """Return whether the entire object exists but is not expected."""
        return self.attribute is None and self.expected is None


UNREADABLE = "unreadable"


LATE = "the time was up"  # the beginning of the reason for a kind that was not read in time


NAME_OF = "name"  # the attribute that differs if an object was renamed; no record has it


SCHEMA_OF = "in_schema"  # the same for an object that was moved to another schema


PLACE_OF = "place"  # the same for an object that was moved and renamed


SWAPPED = "swapped"  # the same for a table whose columns, or an enum whose labels, have exchanged their names


def diff(expected: Snapshot, actual: Snapshot, *, exact: bool = False) -> tuple[Difference, ...]:
    """Return every disagreement of two snapshots, sorted by key; empty means that they are the same.

    A text that the server prints differently after a dump and a restore is the same, unless `exact` is set.
    A kind or an object that either side could not read is never the same: it is reported as the attribute
    `unreadable`.
    """
    blind = expected.unreadable.keys() | actual.unreadable.keys()
    found = [
        Difference(Key(kind, ("*",)), UNREADABLE, expected.unreadable.get(kind), actual.unreadable.get(kind))
        for kind in blind
    ]
    locked = {key for key in expected.locked.keys() | actual.locked.keys() if key.kind not in blind}
    found.extend(Difference(key, UNREADABLE, _why(expected, key), _why(actual, key)) for key in locked)
    for key, record in expected.objects.items():
        other = actual.objects.get(key)
        if other is record or other == record or key.kind in blind or key in locked:
            continue
        if other is None:
            found.append(Difference(key, None, record, None))
        else:
            found.extend(_unlike(key, record, other, exact=exact))
    found.extend(
        Difference(key, None, None, record)
        for key, record in actual.objects.items()
        if key not in expected.objects and key.kind not in blind and key not in locked
    )
    return tuple(sorted(found, key=lambda one: (one.key.kind, one.key.path, one.attribute or "")))


def _why(snapshot: Snapshot, key: Key) -> str | None:
    return snapshot.locked[key].reason if key in snapshot.locked else None


def _unlike(key: Key, expected: Record, actual: Record, *, exact: bool) -> Iterator[Difference]:
    for name, noted in attributes(type(expected)).items():
        one, other = getattr(expected, name), getattr(actual, name)
        if one == other or (noted.veiled and None in (one, other)):
            continue
        if noted.deparsed and not exact and None not in (one, other) and respelled(one) == respelled(other):
            continue
        yield Difference(key, name, one, other)

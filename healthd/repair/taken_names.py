"""Objects in the place of a renamed one of another kind: they get another name before that gets its own back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from healthd.catalog import KINDS
from healthd.comparison.renames import under_other_paths
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.scripts import Statement
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, Difference, Place, Snapshot
from healthd.repair.restored_names import aside


@dataclass(frozen=True, slots=True)
class Freed:
    """The actual side, and the differences, with such objects and what is said of them under other names."""

    actual: Snapshot
    differences: tuple[Difference, ...]
    found: Mapping[Key, Key] = field(default_factory=dict)  # the other name: the one that it has
    objects: Mapping[Key, Key] = field(default_factory=dict)  # the same with what belongs to them

    def statements(self) -> Iterator[Statement]:
        """Yield the statements that rename them."""
        for other, key in self.found.items():
            sql = KINDS[key.kind].renamed(key, self.actual.objects[other], other.path[-1])
            yield Statement(sql, ((key, None),), key=key)

    @property
    def names(self) -> tuple[Difference, ...]:
        """Return the other names as if they were expected."""
        return tuple(Difference(other, NAME_OF, other.path[-1], key.path[-1]) for other, key in self.found.items())

    def last(self) -> Iterator[str]:
        """Yield the statements that give them their names again."""
        for other, key in self.found.items():
            yield KINDS[key.kind].renamed(other, self.actual.objects[other], key.path[-1])

    def place(self, place: Place) -> Place:
        """Return where a difference is reported."""
        key, attribute = place
        return self.objects.get(key, key), attribute


def freed(expected: Snapshot, actual: Snapshot, differences: Iterable[Difference]) -> Freed:
    """Return the sides of a repair in which nothing that nobody expects has the name of a renamed object."""
    differences = tuple(differences)
    named = [one.key for one in differences if one.attribute in RENAMED and one.key.kind in SHARING]
    found = [
        key
        for path in dict.fromkeys(one.path for one in named)
        for kind in SHARING
        if (key := Key(kind, path)) in actual.objects and key not in expected.objects and key not in named
    ]
    if not found:
        return Freed(actual, differences)
    objects = actual.objects
    for key in found:
        objects = under_other_paths(objects, key.kind, {key.path: _other(key).path})
    others = {old: new for old, new in zip(actual.objects, objects, strict=True) if old != new}
    moved = tuple(replace(one, key=others.get(one.key, one.key)) for one in differences)
    back = {other: key for key, other in others.items()}
    objects = {key: _owned(record, others) for key, record in objects.items()} if others else objects
    return Freed(replace(actual, objects=objects), moved, {_other(key): key for key in found}, back)


RENAMED = (NAME_OF, PLACE_OF, SCHEMA_OF)
SHARING = tuple(name for name, kind in KINDS.items() if kind.renamable and (kind.is_type or kind.relkinds))


def _other(key: Key) -> Key:
    return KINDS[key.kind].with_name(key, aside(key.path[-1]))


def _owned(record: Record, others: Mapping[Key, Key]) -> Record:
    """Return the record of a sequence with the other name of the column that owns it."""
    if not getattr(record, "owned_by", None):
        return record
    owner = Key.parse(f"column:{record.owned_by}")
    return replace(record, owned_by=Key("", others.get(owner, owner).path).sql)

"""Views in the place of a renamed table: they get another name before the table gets its own back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from healthd.catalog import KINDS
from healthd.model.names import HANGING, Key
from healthd.model.scripts import Statement
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, Difference, Place, Snapshot
from healthd.repair.restored_names import aside


@dataclass(frozen=True, slots=True)
class Freed:
    """The actual side, and the differences, with such views and what is said of them under other names."""

    actual: Snapshot
    differences: tuple[Difference, ...]
    views: Mapping[Key, Key] = field(default_factory=dict)  # the other name: the one that it has
    objects: Mapping[Key, Key] = field(default_factory=dict)  # the same for all objects

    def statements(self) -> Iterator[Statement]:
        """Yield the statements that rename them."""
        for other, key in self.views.items():
            sql = KINDS[key.kind].renamed(key, self.actual.objects[other], other.path[-1])
            yield Statement(sql, ((key, None),), key=key)

    def last(self) -> Iterator[str]:
        """Yield the statements that give them their names again."""
        for other, key in self.views.items():
            yield KINDS[key.kind].renamed(other, self.actual.objects[other], key.path[-1])

    def place(self, place: Place) -> Place:
        """Return where a difference is reported."""
        key, attribute = place
        return self.objects.get(key, key), attribute


def freed(expected: Snapshot, actual: Snapshot, differences: Iterable[Difference]) -> Freed:
    """Return the sides of a repair in which no view that nobody expects has the name of a table."""
    differences = tuple(differences)
    tables = [one.key for one in differences if one.attribute in RENAMED and one.key.kind in ("table", "foreign_table")]
    views = (Key("view", key.path) for key in tables)
    found = {view for view in views if view in actual.objects and view not in expected.objects}
    if not found:
        return Freed(actual, differences)
    others = {key: other for key in actual.objects if (other := _other(key, found)) != key}
    objects = {others.get(key, key): record for key, record in actual.objects.items()}
    moved = tuple(replace(one, key=others.get(one.key, one.key)) for one in differences)
    back = {other: key for key, other in others.items()}
    return Freed(replace(actual, objects=objects), moved, {one: back[one] for one in back if back[one] in found}, back)


RENAMED = (NAME_OF, PLACE_OF, SCHEMA_OF)


def _other(key: Key, views: set[Key]) -> Key:
    """Return the key that an object has if its view has another name: a view, and what is said of it as a whole."""
    if key in views:
        return KINDS[key.kind].with_name(key, aside(key.path[-1]))
    if key.kind in HANGING and (view := Key(key.path[0], key.path[1:3])) in views:
        return Key(key.kind, (view.kind, *_other(view, views).path, *key.path[3:]))
    return key

"""What nobody expects and has a name that something else gets back: it gets another name before that.

Relations and types in the place of a renamed one of another kind, and indexes and keys with the name of a renamed one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from healthd.catalog import KINDS
from healthd.comparison.renames import under_other_paths
from healthd.model.attributes import Record
from healthd.model.kinds import Path
from healthd.model.names import HANGING, Key, quote
from healthd.model.scripts import Statement
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, Difference, Place, Snapshot
from healthd.repair.index_names import aside, index_of, renaming


@dataclass(frozen=True, slots=True)
class Freed:
    """The actual side, and the differences, with such objects and what is said of them under other names."""

    actual: Snapshot
    differences: tuple[Difference, ...]
    taken: Mapping[Key, Key] = field(default_factory=dict)  # the other name: the one that it has
    objects: Mapping[Key, Key] = field(default_factory=dict)  # the same for all that has another name with it
    causes: Mapping[Key, Place] = field(default_factory=dict)  # for what the name becomes free

    @property
    def names(self) -> tuple[Difference, ...]:
        """Return the other names of relations and types as if they were expected."""
        named = ((other, key) for other, key in self.taken.items() if key.kind in SHARING)
        return tuple(Difference(other, NAME_OF, other.path[-1], key.path[-1]) for other, key in named)

    def statements(self) -> Iterator[Statement]:
        """Yield the statements that rename them."""
        for other, key in self.taken.items():
            sql = self._renamed(other, key, other)
            yield Statement(sql, ((key, None), self.causes[key]), key=key)

    def last(self) -> Iterator[str]:
        """Yield the statements that give them their names again."""
        for other, key in self.taken.items():
            yield self._renamed(other, other, key)

    def _renamed(self, record: Key, there: Key, new: Key) -> str:
        """Return the SQL that gives an object another name; the table of an index may have another name by then."""
        if index := index_of(there, self.actual.objects[record]):
            return renaming(index, new.path[-1])
        return KINDS[there.kind].renamed(there, self.actual.objects[record], new.path[-1])

    def place(self, place: Place) -> Place:
        """Return where a difference is reported."""
        key, attribute = place
        return self.objects.get(key, key), attribute


def freed(expected: Snapshot, actual: Snapshot, differences: Iterable[Difference]) -> Freed:
    """Return the sides of a repair in which nothing that nobody expects has the name of what gets that back."""
    differences = tuple(differences)
    found = {**dict(_objects(expected, actual, differences)), **dict(_indexes(expected, actual, differences))}
    if not found:
        return Freed(actual, differences)
    others, objects = _others(actual.objects, found)
    moved = tuple(replace(one, key=others.get(one.key, one.key)) for one in differences)
    back = {other: key for key, other in others.items()}
    taken = {others[key]: key for key in found}
    return Freed(replace(actual, objects=objects), moved, taken, back, found)


RENAMED = (NAME_OF, PLACE_OF, SCHEMA_OF)
SHARING = tuple(
    name
    for name, kind in KINDS.items()
    if kind.renamable and kind.depth == len(("schema", "name")) and (kind.is_type or kind.relkinds)
)


def _objects(expected: Snapshot, actual: Snapshot, differences: tuple[Difference, ...]) -> Iterator[tuple[Key, Place]]:
    """Yield what has the name of a renamed relation or type of another kind, with the difference in that name."""
    named = {one.key: one.place for one in differences if one.attribute in RENAMED and one.key.kind in SHARING}
    for wanted, place in named.items():
        for key in (Key(kind, wanted.path) for kind in SHARING):
            if key in actual.objects and key not in expected.objects and key not in named:
                yield key, place


def _indexes(expected: Snapshot, actual: Snapshot, differences: tuple[Difference, ...]) -> Iterator[tuple[Key, Place]]:
    """Yield the indexes, and the keys, that have the name of a renamed one, with the difference in the name of that."""
    wanted = {
        index: one.place
        for one in differences
        if one.attribute == NAME_OF
        and one.key in expected.objects
        and (index := index_of(one.key, expected.objects[one.key]))
    }
    for key, record in actual.objects.items() if wanted else ():
        index = index_of(key, record)
        if index in wanted and key not in expected.objects:
            yield key, wanted[index]


def _others(actual: Mapping[Key, Record], found: Iterable[Key]) -> tuple[dict[Key, Key], dict[Key, Record]]:
    """Return the other keys of what has other names, by the present keys, and all objects under their other names."""
    of_kind = defaultdict[str, list[Key]](list)
    for key in found:
        of_kind[key.kind].append(key)
    others, objects = {key: key for key in actual}, dict(actual)
    for kind, keys in sorted(of_kind.items(), key=lambda one: one[0] not in SHARING):  # tables before their indexes
        paths: dict[Path, Path] = {(there := others[key]).path: _aside(there).path for key in keys}
        spelled = {key: _spelled(key, record) if key.path in paths else record for key, record in objects.items()}
        under = _alone(spelled, paths) if kind == "view" else under_other_paths(spelled, kind, paths)
        renamed = dict(zip(objects, under.items(), strict=True))
        others = {key: renamed[other][0] for key, other in others.items()}
        objects = {key: _owned(record, others) for key, record in renamed.values()}
    return {key: other for key, other in others.items() if key != other}, objects


def _alone(objects: Mapping[Key, Record], paths: Mapping[Path, Path]) -> dict[Key, Record]:
    """Return the objects with other paths for these views, and for what is said of them: the columns are a table's."""

    def inner(key: Key) -> Key:
        if key.kind in HANGING and key.path[0] == "view" and (path := paths.get(key.path[1:3])):
            return Key(key.kind, ("view", *path, *key.path[3:]))
        return Key("view", paths.get(key.path, key.path)) if key.kind == "view" else key

    return {inner(key): record for key, record in objects.items()}


def _aside(key: Key) -> Key:
    return KINDS[key.kind].with_name(key, aside(key.path[-1]))


def _spelled(key: Key, record: Record) -> Record:
    """Return the record that an object has under its other name: only the definition of an index has the name."""
    if key.kind != "index":
        return record
    old, new = (f" INDEX {quote(one.path[-1])} ON " for one in (key, _aside(key)))
    return replace(record, definition=record.definition.replace(old, new, 1))


def _owned(record: Record, others: Mapping[Key, Key]) -> Record:
    """Return the record of a sequence with the other name of the column that owns it."""
    if not getattr(record, "owned_by", None):
        return record
    owner = Key.parse(f"column:{record.owned_by}")
    return replace(record, owned_by=Key("", others.get(owner, owner).path).sql)

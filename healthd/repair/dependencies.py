"""Which objects of a snapshot need which others, as far as their records and texts say."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from healthd.catalog.sequences import drawn
from healthd.comparison.mentions import Mentions, mentions
from healthd.comparison.renames import AS_WRITTEN
from healthd.model.attributes import Record
from healthd.model.kinds import Around, Dependent, Kind, Path
from healthd.model.names import HANGING, Key
from healthd.model.snapshots import Snapshot
from healthd.repair.unnamed_needs import Unnamed


def ancestors(objects: Mapping[Key, Record], table: Key) -> frozenset[Key]:
    """Return all tables that a table inherits from, and those of which it is a partition; any may be foreign."""
    found, waiting = set[Key](), [table]
    while waiting:
        current = objects.get(relation(objects, waiting.pop().path))
        above = {relation(objects, Key.parse(f"table:{one}").path) for one in getattr(current, "inherits", ())}
        waiting += above - found
        found |= above
    return frozenset(found)


def relation(objects: Mapping[Key, Record], path: Path) -> Key:
    """Return the key of a table, which may be foreign."""
    foreign = Key("foreign_table", path)
    return foreign if foreign in objects else Key("table", path)


class Dependencies:
    """The dependencies within one snapshot; everything is computed when it is needed.

    `other` is the snapshot that it is compared with. What is the same in both needs nothing that only this one has a
    name for: most objects of a large database are the same, and their texts need not be read to drop a new table.
    """

    def __init__(self, snapshot: Snapshot, kinds: Mapping[str, Kind], other: Snapshot | None = None) -> None:
        self.snapshot, self.objects, self.kinds = snapshot, snapshot.objects, kinds
        self._other = other

    @functools.cached_property
    def around(self) -> Around:
        """Return what SQL that creates objects must know of their parts."""
        columns = defaultdict[Path, list[Key]](list)
        counters: dict[Path, Key] = {}
        drawing = defaultdict[Key, tuple[Key, ...]](tuple)
        for key, record in self.objects.items():
            if key.kind == "column":
                columns[key.path[:2]].append(key)
                for sequence in drawn(record.default) if record.default else ():
                    drawing[sequence] += (key,)
            elif key.kind == "sequence" and record.owned_by:
                column = Key.parse(f"column:{record.owned_by}").path
                if record.identity or column not in counters:  # a column may own several
                    counters[column] = key
        parts = {path: tuple(keys) for path, keys in columns.items()}
        return Around(self.objects, parts, counters, dict(drawing), server_version=self.snapshot.server_version)

    @functools.cached_property
    def types(self) -> Mapping[str, Key]:
        """Return the types that are nothing else, by their names in SQL."""
        types = {name for name, kind in self.kinds.items() if kind.is_type and not kind.relkinds}
        return {key.sql: key for key in self.objects if key.kind in types}

    def heirs(self, table: Key) -> tuple[Key, ...]:
        """Return all tables that inherit from a table, and its partitions at all levels."""
        return tuple(self._heirs.get(table, ()))

    @functools.cached_property
    def _heirs(self) -> Mapping[Key, list[Key]]:
        found = defaultdict[Key, list[Key]](list)
        for key, record in self.objects.items():
            if key.kind in ("table", "foreign_table") and record.inherits:
                for above in ancestors(self.objects, key):
                    found[above].append(key)
        return found

    def needs(self, key: Key) -> frozenset[Key]:
        """Return the objects that must exist before this one can be created."""
        if key not in self._needs:
            found, record = frozenset(self._needed(key, self.objects[key])), self.objects[key]
            if self._unnamed:
                found |= frozenset(self._unnamed.bound(key, record, found))
            self._needs[key] = found - {key}
        return self._needs[key]

    def awaited(self, key: Key) -> frozenset[Key]:
        """Return what must exist before this object is created, as far as it does: also what it may use unnamed."""
        needs = self.needs(key)
        if not self._unnamed:
            return needs
        return needs | (frozenset(self._unnamed.possible(key, self.objects[key], needs)) - {key})

    def dependents(self, key: Key) -> tuple[Key, ...]:
        """Return the objects that need this one."""
        if self._is_new(key):
            return self._unlike.dependents(key)
        return tuple(self._dependents.get(key, ()))

    def parts(self, key: Key) -> Iterator[Key]:
        """Yield everything that is dropped together with an object, because it belongs to it."""
        for part in self.own_parts(key):
            yield part
            yield from self.parts(part)

    def own_parts(self, key: Key) -> tuple[Key, ...]:
        """Return the parts of an object without theirs."""
        if self._is_new(key):
            return self._unlike.own_parts(key)
        return tuple(self._parts.get(key, ()))

    def parent(self, key: Key) -> Key | None:
        """Return the object that an object belongs to, if that is in the snapshot."""
        parent = self.kinds[key.kind].parent(key, self.objects[key])
        if parent is not None and parent.kind == "column" and parent not in self.objects:
            parent = Key("table", parent.path[:2])  # a plain column of a view is not in it
        if parent is not None and parent.kind == "table" and parent not in self.objects:
            parent = next((one for kind in RELATIONS if (one := Key(kind, parent.path)) in self.objects), None)
        return parent if parent is not None and parent != key and parent in self.objects else None

    def mentioned(self, key: Key) -> Mentions:
        """Return what an object mentions in texts that the server binds to other objects."""
        kind = self.kinds[key.kind]
        return mentions(kind, key, self.objects[key], without=AS_WRITTEN | kind.completed)

    # ── how it is found ──────────────────────────────────────────────────────────────────────────────────

    def _is_new(self, key: Key) -> bool:
        """Return whether only this snapshot has a name: of an object, of the table that it is a part of, of a column.

        Not so for other parts of a table: a foreign key may be the same in both and use another index of its table.
        """
        if self._other is None:
            return False
        return key.path[:2] not in self._known or (key.kind == "column" and key not in self._other.objects)

    @functools.cached_property
    def _known(self) -> frozenset[Path]:
        return frozenset(key.path[:2] for key in self._other.objects) if self._other is not None else frozenset()

    @functools.cached_property
    def _unlike(self) -> Dependencies:
        others = self._other.objects if self._other is not None else {}
        unlike = {key: record for key, record in self.objects.items() if others.get(key) != record}
        return Dependencies(replace(self.snapshot, objects=unlike), self.kinds)

    @functools.cached_property
    def _needs(self) -> dict[Key, frozenset[Key]]:
        return {}

    @functools.cached_property
    def _unnamed(self) -> Unnamed:
        return Unnamed(self.objects)

    @functools.cached_property
    def _named(self) -> Mapping[tuple[str, str], list[Key]]:
        named = defaultdict[tuple[str, str], list[Key]](list)
        for key in self.objects:
            if self.kinds[key.kind].referenced:
                named[key.path[0], key.path[1]].append(key)
        return named

    @functools.cached_property
    def _keys(self) -> Mapping[Path, list[Key]]:
        """Return the keys that foreign keys can refer to, by their table."""
        keys = defaultdict[Path, list[Key]](list)
        for key, record in self.objects.items():
            unique = key.kind == "constraint" and record.type in ("primary key", "unique")
            if unique or (key.kind == "index" and record.unique):
                keys[key.path[:2]].append(key)
        return keys

    @functools.cached_property
    def _others(self) -> list[Key]:
        return [key for key in self.objects if self.kinds[key.kind].needed and key.kind != "constraint"]

    @functools.cached_property
    def _paths(self) -> frozenset[Path]:
        return frozenset(key.path[:2] for key in self.objects if key.kind not in HANGING)

    @functools.cached_property
    def _dependents(self) -> Mapping[Key, list[Key]]:
        found = defaultdict[Key, list[Key]](list)
        for key in self.objects:
            for one in self.needs(key):
                found[one].append(key)
        return found

    @functools.cached_property
    def _parts(self) -> Mapping[Key, list[Key]]:
        found = defaultdict[Key, list[Key]](list)
        for key in self.objects:
            if (parent := self.parent(key)) is not None:
                found[parent].append(key)
        return found

    def _needed(self, key: Key, record: Record) -> Iterator[Key]:
        kind = self.kinds[key.kind]
        counter = key.kind == "sequence" and not record.identity  # its column may be created after it
        if (parent := self.parent(key)) is not None and not (counter and parent.kind == "column"):
            yield parent
        if key.kind in HANGING or (key.kind == "column" and _is_plain(record)):
            return
        for name, place in kind.within.items():
            if (other := Key(name, key.path[place : place + self.kinds[name].depth])) in self.objects:
                yield other
        found = self.mentioned(key)
        pairs = found.pairs | ({(key.path[0], key.path[1])} if kind.is_part else frozenset())
        for pair in pairs:
            yield from self._named.get(pair, ())
            yield from self._columns(key, record, pair, found)
        if getattr(record, "type", None) == "foreign key":
            yield from (one for pair in found.pairs for one in self._keys.get(pair, ()))  # also of its own table
        dependent = Dependent(record, found.pairs, self._paths)
        for other in self._others:
            needed = self.kinds[other.kind].needed
            if other != key and needed is not None and needed(other, self.objects[other], dependent):
                yield other

    def _columns(self, key: Key, record: Record, pair: tuple[str, str], found: Mentions) -> Iterator[Key]:
        """Yield the columns of a table that an object mentions; a column needs others only if it is generated."""
        if key.kind == "column" and pair == key.path[:2] and record.generated == "none":
            return
        for column in self.around.columns.get(pair, ()):
            if column.path[2] in found.words and column != key:
                yield column


def _is_plain(column: Record) -> bool:
    """Return whether a column mentions nothing: most columns have a built-in type and a constant as default."""
    texts = (column.type, column.default or "", column.collation or "")
    return column.generated == "none" and not any("." in text for text in texts)


RELATIONS = ("view", "foreign_table")

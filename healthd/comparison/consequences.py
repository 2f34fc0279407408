"""What follows from another difference: DROP … CASCADE is one cause, and the cause's repair restores everything."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cached_property

from healthd.catalog.roles import OWNER, PUBLIC
from healthd.comparison.causes import parent_of
from healthd.comparison.mentions import mentions
from healthd.model.attributes import Record
from healthd.model.kinds import Dependent, Kind
from healthd.model.names import HANGING, Key
from healthd.model.snapshots import Difference, Snapshot

Id = tuple[Key, str | None]  # what identifies a difference within one round

CAST = re.compile(
    r"::(?:character varying|double precision|bit varying|time(?:stamp)? with(?:out)? time zone"
    r'|(?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?)(?:\([\d, ]+\))?(?:\[\])*'
)


def consequences(
    differences: Iterable[Difference],
    causes: Iterable[Difference],
    expected: Snapshot,
    kinds: Mapping[str, Kind],
) -> dict[Id, tuple[Difference, ...]]:
    """Return what follows from each of the causes, in the order in which it can be created again.

    `causes` are the differences that are not explained yet; some of them follow from others. An object follows
    from a missing object that its record mentions: a view from a table, a column from its type, a trigger from its
    function. If a role lost all its privileges, the first one stands for all.
    """
    graph = _Graph(tuple(differences), tuple(causes), expected, kinds)
    found = defaultdict[Id, list[tuple[int, int, Difference]]](list)
    order = {name: position for position, name in enumerate(kinds)}
    for one in graph.differences:
        root, depth = graph.root(one)
        if root is not one:
            found[root.key, root.attribute].append((depth, order[one.key.kind], one))
    for lost in _roles(graph.causes, expected, order):
        found[lost[0].key, lost[0].attribute] += [(0, 0, one) for one in lost[1:]]
    return {
        one: tuple(row[2] for row in sorted(rows, key=lambda row: (*row[:2], row[2].key)))
        for one, rows in found.items()
    }


class _Graph:
    """Which difference follows from which."""

    def __init__(
        self,
        differences: tuple[Difference, ...],
        causes: tuple[Difference, ...],
        expected: Snapshot,
        kinds: Mapping[str, Kind],
    ) -> None:
        self.differences, self.causes, self.expected, self.kinds = differences, causes, expected, kinds
        self.ids = {one.place for one in causes}
        self.missing = {one.key: one for one in differences if one.missing}
        self.lost = {one.key: not one.unexpected for one in differences if one.attribute is None}
        self.changed = {one.place: one for one in causes if one.attribute is not None}
        self.named = defaultdict[tuple[str, str], list[Difference]](list)
        self.columns = defaultdict[tuple[str, ...], list[Difference]](list)
        self.types = defaultdict[tuple[str, ...], list[Difference]](list)
        self.others = list[Difference]()
        self.roots = dict[Id, tuple[Difference, int]]()
        self.busy = set[Id]()
        for one in causes:
            if one.key.kind == "column" and one.missing:
                self.columns[one.key.path[:2]].append(one)
            elif one.key.kind == "column" and one.attribute == "type":
                self.types[one.key.path[:2]].append(one)
            elif one.missing and kinds[one.key.kind].needed:
                self.others.append(one)
            elif one.missing and kinds[one.key.kind].referenced:
                self.named[one.key.path[0], one.key.path[1]].append(one)

    @cached_property
    def paths(self) -> AbstractSet[tuple[str, ...]]:
        """Return the first two parts of all expected paths; few differences need them."""
        return {key.path[:2] for key in self.expected.objects if key.kind not in HANGING}

    def root(self, one: Difference) -> tuple[Difference, int]:
        """Return the root cause of a difference, and its distance; the difference itself if it has no cause."""
        me = one.place
        if me in self.roots:
            return self.roots[me]
        self.busy.add(me)
        found = one, 0
        for above in self._above(one):
            if (above.key, above.attribute) in self.busy:
                continue  # two objects that mention each other: the first one examined follows from the second
            root, depth = self.root(above)
            found = (root if found[0] is one else found[0]), max(found[1], depth + 1)
        self.busy.remove(me)
        self.roots[me] = found
        return found

    def _above(self, one: Difference) -> Iterator[Difference]:
        """Yield the direct causes of a difference."""
        inside = parent_of(one, self.lost, self.kinds)
        if inside is not None and one.missing:
            yield self.missing[inside]
        if one.place not in self.ids:
            return
        if one.key.kind in ("column", "table") and one.attribute in TOGETHER:
            yield from (
                self.changed[other] for word in TOGETHER[one.attribute] if (other := (one.key, word)) in self.changed
            )
        if one.missing and one.key.kind == "sequence" and one.expected.identity:
            column = Key.parse(f"column:{one.expected.owned_by}"), "identity"
            yield from (self.changed[one] for one in [column] if one in self.changed)
        if one.missing:
            yield from self._spoken_of(one, one.expected)
        elif one.attribute == "default" and one.actual is None:
            yield from self._spoken_of(one, self.expected.objects[one.key])
        elif isinstance(one.expected, tuple) and isinstance(one.actual, tuple) and set(one.actual) < set(one.expected):
            lost = tuple(part for part in one.expected if part not in one.actual)
            yield from self._spoken_of(one, replace(self.expected.objects[one.key], **{str(one.attribute): lost}))
        elif one.attribute is not None and self.kinds[one.key.kind].deparsed(one.attribute):
            yield from self._retyped(one)

    def _spoken_of(self, one: Difference, record: Record) -> Iterator[Difference]:
        said = mentions(self.kinds[one.key.kind], one.key, record)
        words, pairs = said.words, said.pairs
        for pair in sorted(pairs):
            yield from self.named[pair]
        tables = pairs | ({one.key.path[:2]} if self.kinds[one.key.kind].is_part else set())
        for table in sorted(tables):
            for column in self.columns[table]:
                # A column depends on others of its own table only if it is generated.
                independent = one.key.kind == "column" and table == one.key.path[:2] and record.generated == "none"
                if column.key.path[2] in words and not independent:
                    yield column
        dependent = Dependent(record, pairs, self.paths if self.others else frozenset())
        for other in self.others:
            needed = self.kinds[other.key.kind].needed
            if needed is not None and needed(other.key, other.expected, dependent):
                yield other

    def _retyped(self, one: Difference) -> Iterator[Difference]:
        """Yield the columns with another type that make a text differ in its casts."""
        if _without_casts(one.expected) != _without_casts(one.actual):
            return
        pairs = mentions(self.kinds[one.key.kind], one.key, self.expected.objects[one.key]).pairs
        for table in sorted(pairs | {one.key.path[:2]}):
            yield from (column for column in self.types[table] if column.key != one.key or one.attribute != "type")


# Attributes of a column or table that change together with another one: the repair of the latter repairs both.
TOGETHER = {"default": ("generated",), "collation": ("type",), "access_method": ("partitioned_by",)}


def _without_casts(text: str | None) -> str:
    return re.sub(r"[()\s]", "", CAST.sub("", text or ""))


def _roles(causes: Iterable[Difference], expected: Snapshot, order: Mapping[str, int]) -> Iterator[list[Difference]]:
    """Yield, for each role that lost all its privileges on more than one object, these losses."""
    held, lost = defaultdict[str, int](int), defaultdict[str, list[Difference]](list)
    for one in causes:
        if one.key.kind == "grant" and (one.missing or (one.attribute and not one.actual)):
            lost[one.key.path[-1]].append(one)
    if not lost:
        return
    for key, record in expected.objects.items():
        if key.kind == "grant" and key.path[-1] in lost and record.privileges:
            held[key.path[-1]] += 1
    for role, rows in lost.items():
        if len(rows) == held[role] > 1 and role not in (PUBLIC, OWNER):
            yield sorted(rows, key=lambda one: (order[one.key.path[0]], one.key))

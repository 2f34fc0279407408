"""Tables of which each has the name, or the place, of the next one: a rotation looks like one renamed table.

Of `live` that became `live_old` and `staging` that became `live`, only `staging` is missing, and only `live_old` is
unexpected: if all of them have the same columns, `staging` could simply have been renamed. What tells them apart is
what stays with a table: see `table_traces`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from healthd.catalog import KINDS
from healthd.comparison.renames import inside, same_record, under_other_paths, with_expected_texts
from healthd.comparison.table_traces import Edge, Traces, recognized, traces
from healthd.comparison.unexpected_texts import spelled
from healthd.model.attributes import Record
from healthd.model.kinds import Path
from healthd.model.names import Key, quote
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, Difference, Snapshot

Objects = Mapping[Key, Record]
Rotated = dict[Key, Key]  # from the actual key to the expected one, in the order in which the names become free
Fits = Callable[[Key, Key], bool]  # whether an expected table and an actual one look the same


@dataclass(frozen=True, slots=True)
class _Family:
    """Tables that look the same, or did so before one has got the name of another one."""

    missing: tuple[Key, ...]
    unexpected: tuple[Key, ...]
    common: tuple[Key, ...]

    def without(self, settled: Container[Key]) -> _Family:
        """Return the family without these tables."""
        sides = (self.missing, self.unexpected, self.common)
        return _Family(*(tuple(key for key in keys if key not in settled) for keys in sides))


@dataclass(frozen=True, slots=True)
class Relatives:
    """What is known of the tables of a family: which expected one is which actual one."""

    family: _Family
    fits: Fits
    now: Mapping[Key, Key]  # by the expected key
    was: Mapping[Key, Key]  # by the actual key
    disputed: frozenset[Edge]  # (expected, actual) for which there is something, and something against it
    like: Fits  # the same, if no name of what belongs to them says something else
    named: Mapping[str, tuple[Key, ...]]  # the tables that both sides have, by their names

    def rivals(self, there: Key, key: Key) -> tuple[Key, ...]:
        """Return the tables that could be an expected one that is missing as well as the unexpected one `there`."""
        if self.now.get(key) == there:
            return ()
        known = {self.now.get(key), self.was.get(there)}
        known |= {table for edge in self.disputed if edge[0] == key or edge[1] == there for table in edge}
        if others := known - {None, key, there}:
            return tuple(sorted(one for one in others if one is not None))
        common = self.family.common if key.path[1] != there.path[1] else self.named.get(key.path[1], ())
        return tuple(one for one in common if self._is_between(key, one, there))

    def _is_between(self, key: Key, one: Key, there: Key) -> bool:
        """Return whether a missing table could have the name of another one, which would be the unexpected one."""
        if self.now.get(one) is not None or self.was.get(one) is not None:
            return False
        return _steps(key, one) + _steps(one, there) <= _steps(key, there) + 1 and (
            self.fits(key, one) and self.fits(one, there)
        )


@dataclass(frozen=True, slots=True)
class Rotations:
    """The tables that were rotated, and what is known of others that look like them."""

    found: Rotated = field(default_factory=dict)
    relatives: Mapping[Key, tuple[Relatives, ...]] = field(default_factory=dict)  # by the missing table

    def doubted(self, one: Difference) -> Difference:
        """Return a difference in the name of a table, with the tables that could be this one as well."""
        there = there_of(one)
        for each in self.relatives.get(one.key, ()):
            if there in each.family.unexpected:
                return replace(one, rivals=each.rivals(there, one.key))
        return one


NO_ROTATIONS = Rotations()


def rotations(expected: Snapshot, actual: Snapshot, apart: frozenset[str]) -> Rotations:
    """Return the tables that were rotated, in one schema or among several, except those that are `apart`."""
    tables = _Tables.of(expected.objects, actual.objects)
    if not tables.missing or not tables.unexpected:
        return Rotations()
    local = [family for one in tables.by_schema() for family in one.families()]
    wide = tables.only(tables.everywhere - apart).families()
    if not local and not wide:
        return Rotations()
    known = traces(expected, actual, {key for one in (*local, *wide) for key in (*one.missing, *one.common)})
    found: Rotated = {}
    relatives = list[Relatives]()
    for whole in (*local, *wide):
        family = whole.without({*found, *found.values()})  # among the tables of one schema, these are settled
        each = _relatives(family, known, tables.fit)
        relatives.append(each)
        for chain in _chains(each):
            if found.keys().isdisjoint(chain):
                found |= chain
    return Rotations(found, _by_missing(relatives))


def _by_missing(relatives: Iterable[Relatives]) -> Mapping[Key, tuple[Relatives, ...]]:
    found = defaultdict[Key, list[Relatives]](list)
    for one in relatives:
        for key in one.family.missing:
            found[key].append(one)
    return {key: tuple(some) for key, some in found.items()}


def rotated_back(expected: Snapshot, actual: Snapshot, found: Rotated) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with these tables in their expected places, and a difference for each."""
    if not found:
        return actual, ()
    places = {there.path: key.path for there, key in found.items()}
    counters = dict(_counters(actual.objects, places))
    objects = under_other_paths(dict(actual.objects), "table", places)
    if counters:
        objects = under_other_paths(objects, "sequence", counters)
    text = _text(places | counters)
    objects = {key: spelled(record, text) for key, record in objects.items()}
    free = {there[1]: path[1] for there, path in places.items() if there[1] not in {one[1] for one in places.values()}}
    differences = tuple(_difference(there, key) for there, key in found.items())
    return replace(actual, objects=with_expected_texts(expected.objects, objects, free)), differences


def there_of(one: Difference) -> Key:
    """Return the key that a renamed or moved object has in the database."""
    if one.attribute == NAME_OF:
        return KINDS[one.key.kind].with_name(one.key, one.actual)
    if one.attribute == SCHEMA_OF:
        return Key(one.key.kind, (one.actual, *one.key.path[1:]))
    return Key.parse(f"{one.key.kind}:{one.actual}")


def _difference(there: Key, key: Key) -> Difference:
    if there.path[0] == key.path[0]:
        return Difference(key, NAME_OF, key.path[1], there.path[1])
    if there.path[1] == key.path[1]:
        return Difference(key, SCHEMA_OF, key.path[0], there.path[0])
    return Difference(key, PLACE_OF, key.sql, there.sql)


# ── families ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Tables:
    """The tables of both sides; no partitions, which their bounds tell apart."""

    expected: Objects
    actual: Objects
    missing: tuple[Key, ...]
    unexpected: tuple[Key, ...]
    common: tuple[Key, ...]
    wanted: Mapping[Path, Mapping[Any, tuple[Any, ...]]]  # the columns of the expected tables
    there: Mapping[Path, Mapping[Any, tuple[Any, ...]]]  # those of the actual ones

    @classmethod
    def of(cls, expected: Objects, actual: Objects) -> _Tables:
        """Return the tables of both sides; those of a schema that may have another name cannot be told apart."""
        renamed = any(key.kind == "schema" and key not in actual for key in expected)
        missing = (key for key in expected.keys() - actual.keys() if _is_free(key, expected))
        unexpected = (key for key in actual.keys() - expected.keys() if _is_free(key, actual))
        lost = tuple(sorted(key for key in missing if _schema(key) in actual))
        found = tuple(sorted(key for key in unexpected if not renamed or _schema(key) in expected))
        if not lost or not found:
            return cls(expected, actual, (), (), (), {}, {})
        both = (key for key in expected if _is_free(key, expected) and key in actual and _is_free(key, actual))
        return cls(expected, actual, lost, found, tuple(both), inside("table", expected), inside("table", actual))

    @property
    def everywhere(self) -> frozenset[str]:
        """Return the schemas of all tables, if tables may have left one for another."""
        one, other = ({key.path[0] for key in keys} for keys in (self.missing, self.unexpected))
        return frozenset({*one, *other, *(key.path[0] for key in self.common)}) if len(one | other) > 1 else frozenset()

    def by_schema(self) -> Iterator[_Tables]:
        """Yield the tables of each schema that has both a missing and an unexpected one."""
        missing, unexpected, common = (_by(0, keys) for keys in (self.missing, self.unexpected, self.common))
        for schema in sorted(missing.keys() & unexpected.keys() & common.keys()):
            yield replace(self, missing=missing[schema], unexpected=unexpected[schema], common=common[schema])

    def only(self, schemas: frozenset[str]) -> _Tables:
        """Return the tables of these schemas."""
        sides = (self.missing, self.unexpected, self.common)
        missing, unexpected, common = (tuple(key for key in keys if key.path[0] in schemas) for keys in sides)
        return replace(self, missing=missing, unexpected=unexpected, common=common)

    def families(self) -> list[_Family]:
        """Return the families in which one table may have the name of another one."""
        if not self.missing or not self.unexpected:
            return []
        sides = ((self.missing, self.wanted), (self.unexpected, self.there), (self.common, self.there))
        head = _Joined()
        for key in self.common:
            head.join(_shape(key, self.wanted), _shape(key, self.there))
        found = defaultdict[Any, tuple[list[Key], list[Key], list[Key]]](lambda: ([], [], []))
        for number, (keys, side) in enumerate(sides):
            for key in keys:
                found[head.of(_shape(key, side))][number].append(key)
        return [_Family(*map(tuple, three)) for three in found.values() if all(three)]

    def fit(self, key: Key, there: Key) -> bool:
        """Return whether an expected table and an actual one look the same."""
        alike = _shape(key, self.wanted) == _shape(there, self.there)
        return alike and same_record(self.expected[key], self.actual[there], {})


class _Joined:
    """Shapes in groups: those of a table before and now are in the same one."""

    def __init__(self) -> None:
        self._above: dict[Any, Any] = {}

    def of(self, shape: Any) -> Any:
        """Return the shape that stands for a group."""
        while (above := self._above.get(shape)) is not None:
            shape = above
        return shape

    def join(self, one: Any, other: Any) -> None:
        """Make one group of two."""
        if one != other and (first := self.of(one)) != (second := self.of(other)):
            self._above[first] = second


def _by(part: int, keys: Iterable[Key]) -> Mapping[str, tuple[Key, ...]]:
    """Return the tables by their schemas (0) or their names (1)."""
    found = defaultdict[str, list[Key]](list)
    for key in keys:
        found[key.path[part]].append(key)
    return {word: tuple(some) for word, some in found.items()}


def _is_free(key: Key, objects: Objects) -> bool:
    return key.kind == "table" and objects[key].bound is None


def _schema(key: Key) -> Key:
    return Key("schema", key.path[:1])


def _shape(key: Key, columns: Mapping[Path, Mapping[Any, tuple[Any, ...]]]) -> frozenset[Any]:
    return frozenset(columns.get(key.path, {}).items())


def _steps(one: Key, other: Key) -> int:
    """Return how many statements give a table the place of another one."""
    return (one.path[0] != other.path[0]) + (one.path[1] != other.path[1])


# ── chains ──────────────────────────────────────────────────────────────────────────────────────────────


def _relatives(family: _Family, known: Traces, fits: Fits) -> Relatives:
    wanted, there = (*family.missing, *family.common), (*family.unexpected, *family.common)
    sure, disputed = recognized(known, wanted, there)
    named = _by(1, family.common)

    def like(key: Key, there: Key) -> bool:
        own, other = known.names[0].get(key.path), known.names[1].get(there.path)
        return fits(key, there) and not (own and other and own.isdisjoint(other))

    return Relatives(family, fits, dict(sure), {there: key for key, there in sure}, disputed, like, named)


def _chains(known: Relatives) -> Iterator[Rotated]:
    """Yield the tables of each rotation, the one whose expected name is free first.

    Where nothing is known of the last table of a chain, it is the only one that is left and looks the same.
    """
    disputed = {table for edge in known.disputed for table in edge}
    for key in known.family.missing:
        chain = _followed(key, known.now)
        if len(chain) == 1:
            continue  # nothing is known of it: see below
        if chain[-1] not in known.family.unexpected:
            chain += _only(
                one for one in known.family.unexpected if one not in known.was and known.like(chain[-1], one)
            )
        if chain[-1] in known.family.unexpected and len(chain) > 2 and disputed.isdisjoint(chain):
            yield dict(zip(chain[1:], chain[:-1], strict=True))
    for there in known.family.unexpected:
        chain = _followed(there, known.was)[::-1]
        if len(chain) > 1 and chain[0] not in known.family.missing:
            first = _only(one for one in known.family.missing if one not in known.now and known.like(one, chain[0]))
            if first and disputed.isdisjoint((*first, *chain)):
                yield dict(zip(chain, [*first, *chain[:-1]], strict=True))


def _followed(start: Key, names: Mapping[Key, Key]) -> list[Key]:
    """Return a table, and those that follow one another from it."""
    chain = [start]
    while (then := names.get(chain[-1])) is not None and then not in chain:
        chain.append(then)
    return chain


def _only(candidates: Iterable[Key]) -> list[Key]:
    found = list(candidates)
    return found if len(found) == 1 else []


# ── texts ───────────────────────────────────────────────────────────────────────────────────────────────


def _counters(objects: Objects, places: Mapping[Path, Path]) -> Iterator[tuple[Path, Path]]:
    """Yield (the actual path, the expected path) of the sequences that have moved along with the tables they count."""
    for key, record in objects.items():
        table = KINDS[key.kind].table(key, record) if key.kind == "sequence" else None
        if table is not None and table in places and key.path[0] == table[0] != places[table][0]:
            yield key.path, (places[table][0], key.path[1])


def _text(places: Mapping[Path, Path]) -> Callable[[str], str]:
    """Return a function that gives tables their expected names in a text, all at once."""
    names = {".".join(map(quote, there)): ".".join(map(quote, path)) for there, path in places.items()}
    names |= {there.replace("'", "''"): path.replace("'", "''") for there, path in names.items()}
    pattern = re.compile(rf'(?<![\w$."])({"|".join(map(re.escape, names))})(?![\w$"])')
    return lambda text: pattern.sub(lambda match: names[match[1]], text)

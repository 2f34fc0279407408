"""The order of operations: what others need first, what needs others last."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from healthd.catalog.tables import DIVISION, PARENTAGE
from healthd.comparison.partitions import attached_names
from healthd.model.names import HANGING, Key
from healthd.repair.column_places import position
from healthd.repair.counters import is_kept
from healthd.repair.dependencies import Dependencies
from healthd.repair.grantors import of_grantors
from healthd.repair.inheritance import below
from healthd.repair.operations import ALTER, COMPLETE, CREATE, DROP, RELEASE, SHELL, VALIDATE, Change, Operation
from healthd.repair.parents import joins, of_parents
from healthd.repair.sole_keys import of_sole_keys
from healthd.sqltext.nontransactional import blocks_nobody


@dataclass(frozen=True, slots=True)
class Edges:
    """Which operations must come after which others, by their numbers."""

    then: Mapping[int, frozenset[int]]

    def after(self, number: int) -> frozenset[int]:
        """Return the operations that must wait for this one."""
        return self.then.get(number, frozenset())


def edges(change: Change, operations: Sequence[Operation]) -> Edges:
    """Return which of these operations must come after which others."""
    found = defaultdict[int, set[int]](set)
    for first, then in chain(_edges(change, operations), of_grantors(change, operations)):
        if first != then:
            found[first].add(then)
    return Edges({first: frozenset(then) for first, then in found.items()})


def ordered(change: Change, operations: Sequence[Operation], found: Edges) -> tuple[int, ...]:
    """Return the numbers of the operations in an order in which they can be executed.

    If objects need each other, the one that comes first by its kind is first.
    """
    waits = [0] * len(operations)
    for number in range(len(operations)):
        for then in found.after(number):
            waits[then] += 1
    ambiguous = _is_ambiguous(change)
    ranks = [_rank(change, one, ambiguous=ambiguous) for one in operations]
    ready = [(ranks[number], number) for number, count in enumerate(waits) if not count]
    heapq.heapify(ready)
    left = set(range(len(operations)))
    order: list[int] = []
    while left:
        if not ready:  # a circle
            number = min(left, key=lambda one: (waits[one], ranks[one]))
            ready = [(ranks[number], number)]
        _, number = heapq.heappop(ready)
        if number not in left:
            continue
        left.remove(number)
        order.append(number)
        for then in found.after(number):
            waits[then] -= 1
            if not waits[then] and then in left:
                heapq.heappush(ready, (ranks[then], then))
    return tuple(order)


PHASES = {SHELL: 1, RELEASE: 0, DROP: 0, CREATE: 1, ALTER: 1, COMPLETE: 2, VALIDATE: 6}
LATE = {"owner": 3, "default_privileges": 4, "grant": 4, "comment": 5, "security_label": 5}


def _is_ambiguous(change: Change) -> bool:
    """Return whether an implicit cast comes or goes with which operators have several meanings.

    With it, the server prints even its own operators with their schema, and understands none of these texts.
    """
    sides = change.before.objects, change.after.objects
    casts = {key for key in (*change.gone, *change.made) if key.kind == "cast"}
    if not any(key in side and side[key].context == "implicit" for key in casts for side in sides):
        return False
    return any(QUALIFIED in str(side.get(one.key)) for one in change.differences for side in sides)


QUALIFIED = "OPERATOR(pg_catalog."


def _rank(change: Change, one: Operation, *, ambiguous: bool) -> tuple[Any, ...]:
    # A domain has its checks before columns have the domain.
    of_domain = one.key.kind == "constraint" and Key("domain", one.key.path[:2]) in change.after.objects
    place = change.order["domain" if of_domain else one.key.kind]
    if one.action == DROP and one.key.kind == "event_trigger":
        return -2, place, one.key, ""  # it would run for what the script does
    if one.action in (DROP, RELEASE):
        return 0, -place, one.key, one.attribute or ""
    implicit = one.key.kind == "cast" and change.after.objects[one.key].context == "implicit"
    if ambiguous and implicit:  # no text is read while there is one
        return PHASES[COMPLETE], len(change.order), one.key, ""
    if not ambiguous and one.action != VALIDATE and any(blocks_nobody(sql) for sql in one.statements):
        return -1, place, one.key, one.attribute or ""  # while it runs, nothing is dropped that comes back
    phase = max(PHASES[one.action], LATE.get(one.key.kind, 0))
    if one.key.kind == "column" and one.action == CREATE:
        return phase, place, False, Key("column", one.key.path[:2]), "", position(change, one.key), one.key
    of = _rank_of_grant(change, one.key) if one.key.kind == "grant" else _names_others(change, one.key)
    return phase, place, of, one.key, one.attribute or ""


def _rank_of_grant(change: Change, key: Key) -> int:
    """Return the rank of a privilege: a role grants others, and revokes that, while it may use the schema."""
    of = change.order.get(key.path[0], 0)
    held, wanted = (len(getattr(side.objects.get(key), "privileges", ())) for side in (change.before, change.after))
    return -of if wanted < held else of


def _names_others(change: Change, key: Key) -> bool:
    """Return whether the server chooses names with an object: those of its partitions, after all that are given."""
    table = change.after.objects.get(Key("table", key.path[:2]))
    return key.kind in ("index", "constraint") and getattr(table, "partitioned_by", None) is not None


@dataclass(frozen=True, slots=True)
class _Places:
    """Which operations, by their numbers, do what to which object."""

    at: Mapping[Key, Mapping[str, list[int]]]  # by object and action
    makes: Mapping[Key, list[int]]  # the operations after which an object is as expected
    drops: Mapping[Key, list[int]]  # those that remove it, by itself or with what it belongs to


def _places(change: Change, operations: Sequence[Operation]) -> _Places:
    at = defaultdict[Key, defaultdict[str, list[int]]](lambda: defaultdict(list))
    makes, drops = defaultdict[Key, list[int]](list), defaultdict[Key, list[int]](list)
    for number, one in enumerate(operations):
        at[one.key][one.action].append(number)
        if one.action in (CREATE, ALTER) and one.attribute != DIVISION:
            makes[one.key].append(number)
        for other in (*created_with(change, one), *_added_below(change, one)):
            makes[other].append(number)
        if one.action == DROP:
            for key in _removed(change, one.key):
                if not is_kept(key, change.before, change.after):
                    drops[key].append(number)
        elif one.action == ALTER and one.attribute == "identity" and one.key in change.replaced:
            drops[change.replaced[one.key]].append(number)
    return _Places(at, makes, drops)


def _added_below(change: Change, one: Operation) -> Iterator[Key]:
    """Yield the columns that the tables below get with one that a table gets."""
    if one.action == CREATE and one.key.kind == "column":
        yield from below(one.key, change.before)


def _removed(change: Change, key: Key) -> Iterator[Key]:
    """Yield an object and everything that DROP removes with it."""
    yield key
    if change.kinds[key.kind].keeps_parts:
        yield from (one for one in change.before.own_parts(key) if one.kind in HANGING)
    else:
        yield from change.before.parts(key)


def _edges(change: Change, operations: Sequence[Operation]) -> Iterator[tuple[int, int]]:
    """Yield (this operation, one that must come after it)."""
    places = _places(change, operations)
    for number, one in enumerate(operations):
        if one.action == DROP:
            yield from _of_drop(change, operations, places, number)
        elif one.action == RELEASE:
            for other in change.before.needs(one.key):
                yield from ((number, then) for then in places.drops[other])
            if one.attribute not in PARENTAGE:
                yield from ((number, then) for then in places.makes[one.key])
        else:
            for first in _awaited(change, places, one):
                if operations[first] is not one and not joins(change, operations[first], one):
                    yield first, number
            if one.action == ALTER:
                yield from ((number, then) for then in _given_up(change, places, one))
            if one.attribute == "identity" and change.after.objects[one.key].identity == "none":
                # An identity column has no default.
                defaults = (then for then in places.at[one.key][ALTER] if operations[then].attribute == "default")
                yield from ((number, then) for then in defaults)
    yield from _of_names(change, operations)
    yield from _of_logging(change, operations)
    yield from of_parents(change, operations)
    yield from of_sole_keys(change, operations)


def _of_drop(
    change: Change, operations: Sequence[Operation], places: _Places, number: int
) -> Iterator[tuple[int, int]]:
    """Yield the edges of a drop: what needs an object goes first, and a new one with its name comes later.

    An object can be altered while it has a part that nobody expects, unless it gets another table above it.
    """
    one = operations[number]
    yield from _of_inherited(change, operations, places, number)
    removed = tuple(_removed(change, one.key))
    kept = {key for key in removed if is_kept(key, change.before, change.after)}
    yield from ((first, number) for key in kept for first in places.at[key][ALTER])
    gone = tuple(key for key in removed if key not in kept)
    stays = one.key.kind in HANGING or one.key in change.asides
    for key in gone:
        if key in change.converted:  # first, so that its old type can go even if the drop is held back
            yield from ((first, number) for first in places.at[key][ALTER])
        for other in change.before.needs(key) if key == one.key or not places.at[key][DROP] else ():
            if key == one.key or one.key not in change.before.needs(other):  # a trigger names partitions of its table
                yield from ((number, then) for then in places.drops[other])
            if other not in change.gone and other not in kept and not stays:
                # An object is altered when what stands in the way is gone.
                own = change.before.parent(key) == other
                alters = places.at[other][ALTER]
                alters = [then for then in alters if not own or operations[then].attribute in PARENTAGE]
                yield from ((number, then) for then in alters)
                released = places.at[other][RELEASE] if other in change.recollated else ()
                yield from ((number, then) for then in released)
    if one.key in change.asides:  # it goes when no column has it any more
        columns = (column for column, key in change.converted.items() if key == one.key)
        yield from ((first, number) for column in columns for first in places.at[column][ALTER])
        return
    yield from ((number, then) for then in places.makes[one.key])
    yield from ((number, then) for key in gone for then in places.at[key][CREATE])


def _of_inherited(
    change: Change, operations: Sequence[Operation], places: _Places, number: int
) -> Iterator[tuple[int, int]]:
    """Yield the edges to the drops of a column in the tables below, which cannot lose it before."""
    if (key := operations[number].key).kind == "column":
        for column in below(key, change.before):
            yield from ((number, then) for then in places.at[column][DROP])


def _awaited(change: Change, places: _Places, one: Operation) -> Iterator[int]:
    """Yield the operations that make what another one needs; a type that is only a name needs its schema."""
    if one.action == SHELL:
        yield from places.makes[Key("schema", one.key.path[:1])]
        return
    for other in change.after.awaited(one.key) if one.key in change.after.objects else ():
        shells = places.at[other][SHELL]
        yield from shells
        if not shells or one.key not in change.after.needs(other):  # otherwise they need each other: a shell is enough
            yield from places.makes[other]
    for inner in created_with(change, one):
        for other in change.after.awaited(inner):
            yield from places.makes[other]
    if one.action in (COMPLETE, VALIDATE) or one.attribute in change.kinds[one.key.kind].completed:
        yield from places.makes[one.key]
        for named in _named_by(change, one.key):
            yield from places.makes[named]


def _given_up(change: Change, places: _Places, one: Operation) -> Iterator[int]:
    """Yield the drops of what an object needs before it is altered, and no longer afterwards."""
    if (one.key.kind, one.attribute) == ("extension", "schema"):
        yield from places.drops[Key("schema", (change.before.objects[one.key].schema,))]
    if one.key in change.before.objects and one.key in change.after.objects:
        own = places.drops[one.key]
        for other in change.before.needs(one.key) - change.after.needs(one.key):
            yield from (then for then in places.drops[other] if then not in own)


def _of_names(change: Change, operations: Sequence[Operation]) -> Iterator[tuple[int, int]]:
    """Yield an edge from each drop to the creation of an object of another kind with the same name."""
    names = defaultdict[tuple[str, ...], list[int]](list)
    for number, one in enumerate(operations):
        if one.action == DROP and one.key.kind not in HANGING and one.key not in change.asides:
            for key in _removed(change, one.key):
                for name in (_name(change.before, key), *_attached(change.before, key)):
                    names[name].append(number)
    for number, one in enumerate(operations):
        if one.action == CREATE and one.key.kind not in HANGING:
            yield from ((first, number) for first in names[_name(change.after, one.key)])


def _of_logging(change: Change, operations: Sequence[Operation]) -> Iterator[tuple[int, int]]:
    """Yield the edges between tables that become logged, or unlogged: a logged one refers to no unlogged one."""
    tables = {one.key: number for number, one in enumerate(operations) if one.attribute == "unlogged"}
    for table, number in tables.items():
        for part in change.before.own_parts(table):
            if getattr(change.before.objects[part], "type", "") == FOREIGN:
                for other in change.before.needs(part) & tables.keys() - {table}:
                    logged = not change.after.objects[table].unlogged
                    yield (tables[other], number) if logged else (number, tables[other])


FOREIGN = "foreign key"


def _attached(side: Dependencies, key: Key) -> Iterator[tuple[str, ...]]:
    """Yield the names of the indexes of partitions that are dropped with an index."""
    yield from (Key.parse(f"index:{name}").path for name in attached_names(side.objects[key]))


def created_with(change: Change, one: Operation) -> Iterator[Key]:
    """Yield what the SQL of an operation creates besides its object."""
    if one.action == CREATE:
        yield from change.kinds[one.key.kind].creates(one.key, change.after.objects[one.key], change.after.around)
    elif one.action == ALTER and one.attribute == "identity" and one.key in change.counters:
        yield change.counters[one.key]


def _named_by(change: Change, key: Key) -> Iterator[Key]:
    record = change.after.objects[key]
    if owned := getattr(record, "owned_by", None):
        column = Key.parse(f"column:{owned}")
        yield column
        yield (table := Key("table", column.path[:2]))
        if table not in change.made:
            yield Key("owner", ("table", *table.path))


def _name(side: Dependencies, key: Key) -> tuple[str, ...]:
    """Return the name that an object occupies: relations and types of a schema share theirs, and a key has an index."""
    if key.kind == "index" or getattr(side.objects[key], "type", "") in ("primary key", "unique", "exclusion"):
        return key.path[0], key.path[2]
    return key.path[:2] if len(key.path) == 2 else (key.kind, *key.path)

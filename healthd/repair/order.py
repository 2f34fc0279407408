"""The order of operations: what others need first, what needs others last."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from healthd.model.names import HANGING, Key
from healthd.repair.operations import ALTER, COMPLETE, CREATE, DROP, RELEASE, SHELL, Change, Operation


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
    for first, then in _edges(change, operations):
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
    ranks = [_rank(change, one) for one in operations]
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


PHASES = {SHELL: 1, RELEASE: 0, DROP: 0, CREATE: 1, ALTER: 1, COMPLETE: 2}
LATE = {"owner": 3, "default_privileges": 4, "grant": 4, "comment": 5, "security_label": 5}


def _rank(change: Change, one: Operation) -> tuple[Any, ...]:
    kinds = list(change.kinds)
    # A domain has its checks before columns have the domain.
    of_domain = one.key.kind == "constraint" and Key("domain", one.key.path[:2]) in change.after.objects
    place = kinds.index("domain" if of_domain else one.key.kind)
    if one.action in (DROP, RELEASE):
        return 0, -place, one.key, one.attribute or ""
    return max(PHASES[one.action], LATE.get(one.key.kind, 0)), place, one.key, one.attribute or ""


def _edges(change: Change, operations: Sequence[Operation]) -> Iterator[tuple[int, int]]:
    """Yield (this operation, one that must come after it)."""
    at = defaultdict[Key, dict[str, list[int]]](lambda: defaultdict(list))
    for number, one in enumerate(operations):
        at[one.key][one.action].append(number)
    makes = defaultdict[Key, list[int]](list)  # the operations after which an object is as expected
    drops = defaultdict[Key, list[int]](list)  # those that remove it
    for number, one in enumerate(operations):
        if one.action in (CREATE, ALTER):
            makes[one.key].append(number)
        if one.action == CREATE:
            for other in change.kinds[one.key.kind].creates(
                one.key, change.after.objects[one.key], change.after.around
            ):
                makes[other].append(number)
        if one.action == DROP:
            drops[one.key].append(number)
            for part in change.before.parts(one.key):
                drops[part].append(number)
    for number, one in enumerate(operations):
        if one.action == DROP:
            gone = (one.key, *change.before.parts(one.key))
            for key in gone:
                for other in change.before.needs(key):
                    yield from ((number, then) for then in drops[other] if then != number)
                    # An object is altered when what stands in the way is gone.
                    yield from ((number, then) for then in at[other][ALTER] if one.key.kind not in HANGING)
            if one.key in change.asides:
                columns = (column for column, key in change.converted.items() if key == one.key)
                yield from ((first, number) for column in columns for first in at[column][ALTER])
                continue
            yield from ((number, then) for then in makes[one.key])
            for key in gone:
                yield from ((number, then) for then in at[key][CREATE])
        elif one.action == RELEASE:
            for other in change.before.needs(one.key):
                yield from ((number, then) for then in drops[other])
            yield from ((number, then) for then in (*at[one.key][ALTER], *at[one.key][CREATE]))
        else:
            if one.action == ALTER and one.key in change.before.objects and one.key in change.after.objects:
                for other in change.before.needs(one.key) - change.after.needs(one.key):
                    yield from ((number, then) for then in drops[other] if then not in drops[one.key])
            needed = change.after.needs(one.key) if one.key in change.after.objects else frozenset()
            for other in needed:
                if shells := at[other][SHELL]:
                    yield from ((first, number) for first in shells)
                    if one.key in change.after.needs(other):
                        continue  # they need each other: the shell of the other one is enough
                yield from ((first, number) for first in makes[other] if operations[first].key != one.key)
            for other in _inside(change, one):
                for need in change.after.needs(other):
                    yield from ((first, number) for first in makes[need] if first != number)
            if one.action == COMPLETE or one.attribute in change.kinds[one.key.kind].completed:
                yield from ((first, number) for first in makes[one.key])
                for mentioned in _named_by(change, one.key):
                    yield from ((first, number) for first in makes[mentioned])
    names = defaultdict[tuple[str, ...], list[int]](list)
    for number, one in enumerate(operations):
        if one.action == DROP and one.key.kind not in HANGING and one.key not in change.asides:
            for key in (one.key, *change.before.parts(one.key)):
                names[_name(key)].append(number)
    for number, one in enumerate(operations):
        if one.action == CREATE and one.key.kind not in HANGING:
            yield from ((first, number) for first in names[_name(one.key)] if first != number)


def _inside(change: Change, one: Operation) -> Iterator[Key]:
    if one.action == CREATE:
        yield from change.kinds[one.key.kind].creates(one.key, change.after.objects[one.key], change.after.around)


def _named_by(change: Change, key: Key) -> Iterator[Key]:
    record = change.after.objects[key]
    if owned := getattr(record, "owned_by", None):
        column = Key.parse(f"column:{owned}")
        yield column
        yield Key("table", column.path[:2])


def _name(key: Key) -> tuple[str, ...]:
    """Return the name that an object occupies: relations and types of a schema share theirs."""
    if key.kind == "index":
        return key.path[0], key.path[2]
    return key.path[:2] if len(key.path) == 2 else (key.kind, *key.path)

"""The order in which tables leave those above them, change, and join others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from healthd.catalog.tables import PARENTAGE
from healthd.model.names import Key
from healthd.repair.dependencies import ancestors, relation
from healthd.repair.inheritance import comes_from
from healthd.repair.operations import ALTER, CREATE, DROP, RELEASE, Change, Operation
from healthd.repair.overlaps import overlapping

Parts = Mapping[tuple[str, ...], list[int]]


def joins(change: Change, one: Operation, other: Operation) -> bool:
    """Return whether an operation gives a table another one above it, for which the other one prepares the table."""
    if one.action != ALTER or one.attribute not in PARENTAGE:
        return False
    if other.action == ALTER and other.attribute in PARENTAGE:
        return True
    return one.key.path == other.key.path[:2] and (other.key.kind == "column" or _prepares(change, other))


def of_parents(change: Change, operations: Sequence[Operation]) -> Iterator[tuple[int, int]]:
    """Yield (this operation, one that must come after it) for what takes tables from others or attaches them.

    A table leaves others before it loses what it has from them. When it joins others, both have their columns, and it
    has its checks. What is set above is set below, too; a new column above must be like the one that is there below.
    """
    parts = defaultdict[tuple[str, ...], list[int]](list)
    for number, one in enumerate(operations):
        if one.key.kind in ("column", "constraint"):
            parts[one.key.path[:2]].append(number)
    joining = {number: one.key.path for number, one in enumerate(operations) if _joins_table(one)}
    for number, one in enumerate(operations):
        if one.action == RELEASE and one.attribute in PARENTAGE:
            yield from ((number, then) for then, path in joining.items() if path == one.key.path)
            partition = change.before.objects[one.key].bound is not None
            of_table = ((then, operations[then]) for then in parts[one.key.path])
            for then, part in of_table:
                if _is_inherited(change, part) or (partition and part.key.kind == "constraint"):
                    yield number, then
            yield from _of_checks_left(change, operations, parts, number)
            yield from ((number, then) for then in _new_partitions(change, operations, one.key))
        elif number in joining:
            yield from ((first, number) for first in _prepared(change, operations, parts, one.key))
            yield from _around_checks(change, operations, parts, number)
            yield from ((number, then) for then in _of_descendants(change, one.key, joining))
            yield from ((number, then) for then in _referring(change, operations, one.key))
            yield from ((first, number) for first in _making_room(change, operations, one.key))
        elif _is_check(change, one):
            yield from _around_checks(change, operations, parts, number)
        elif one.action == ALTER and one.key.kind == "column":
            above = ancestors(change.after.objects, Key("table", one.key.path[:2]))
            same = (other for table in above for other in parts[table.path])
            for other in (other for other in same if operations[other].key.path[2:] == one.key.path[2:]):
                merged = operations[other].action == CREATE and one.attribute in ("type", "collation")
                yield (number, other) if merged else (other, number)


def _of_checks_left(
    change: Change, operations: Sequence[Operation], parts: Parts, number: int
) -> Iterator[tuple[int, int]]:
    """Yield the edges to drops of the checks above: a table that leaves them before has its own."""
    for table in ancestors(change.before.objects, operations[number].key):
        for then in parts[table.path]:
            if operations[then].action == DROP and _is_check(change, operations[then]):
                yield number, then


def _new_partitions(change: Change, operations: Sequence[Operation], table: Key) -> Iterator[int]:
    """Yield the creations of partitions of a table that a partition leaves: it may be in their place."""
    left = change.before.objects[table]
    for number, one in enumerate(operations):
        if left.bound is not None and one.action == CREATE and one.key.kind in ("table", "foreign_table"):
            record = change.after.objects[one.key]
            if record.bound is not None and not set(left.inherits).isdisjoint(record.inherits):
                yield number


def _making_room(change: Change, operations: Sequence[Operation], partition: Key) -> Iterator[int]:
    """Yield what detaches or drops the partitions that have rows of one that is to be attached."""
    others = {other for other, _ in overlapping(change, partition)}
    for number, one in enumerate(operations):
        if one.key in others and (one.action == DROP or (one.action == RELEASE and one.attribute in PARENTAGE)):
            yield number


def _joins_table(one: Operation) -> bool:
    return one.action == ALTER and one.attribute in PARENTAGE


def _is_inherited(change: Change, part: Operation) -> bool:
    """Return whether a table has a part from one above it: it cannot lose or change that before it leaves it."""
    return comes_from(part.key, change.before, change.before.objects)


def _is_check(change: Change, one: Operation) -> bool:
    """Return whether an operation is about a check of a table: one above it may require it, or have given it."""
    side = change.before if one.action == DROP else change.after
    return one.action in (CREATE, DROP) and getattr(side.objects.get(one.key), "type", "") == "check"


def _prepares(change: Change, one: Operation) -> bool:
    """Return whether an operation makes a constraint that a table has before it joins others: a partition any of them.

    ATTACH makes the keys and foreign keys that a partition does not have.
    """
    table = relation(change.after.objects, one.key.path[:2])
    partition = getattr(change.after.objects.get(table), "bound", None) is not None
    constraint = partition and one.key.kind == "constraint" and one.action in (CREATE, DROP)
    return constraint or _is_check(change, one)


def _prepared(change: Change, operations: Sequence[Operation], parts: Parts, table: Key) -> Iterator[int]:
    """Yield what must be done before a table joins others: to the columns of both, and to its checks."""
    parents = (Key.parse(f"table:{one}").path for one in change.after.objects[table].inherits)
    for path in (table.path, *parents):
        for number in parts[path]:
            one = operations[number]
            if one.key.kind == "column" or (path == table.path and _prepares(change, one)):
                yield number


def _around_checks(
    change: Change, operations: Sequence[Operation], parts: Parts, number: int
) -> Iterator[tuple[int, int]]:
    """Yield the edges from drops of checks above to what changes a table or a check of its own, and to new ones."""
    table, name = operations[number].key.path[:2], operations[number].key.path[2:]
    above = {one for side in (change.before, change.after) for one in ancestors(side.objects, Key("table", table))}
    for other in (other for one in above for other in parts[one.path] if _is_check(change, operations[other])):
        if not name or name == operations[other].key.path[2:]:
            yield (other, number) if operations[other].action == DROP else (number, other)


def _of_descendants(change: Change, table: Key, joining: Mapping[int, tuple[str, ...]]) -> Iterator[int]:
    """Yield what gives other parents to those of a table: it then has no checks from further above.

    One that joins another one does so before that joins a third one, whose checks all of them get at its end.
    """
    sides = (side.objects.get(table) for side in (change.before, change.after))
    above = {Key.parse(f"table:{one}").path for side in sides for one in getattr(side, "inherits", ())}
    yield from (number for number, path in joining.items() if path in above)


def _referring(change: Change, operations: Sequence[Operation], partition: Key) -> Iterator[int]:
    """Yield the creations of foreign keys that refer to a table by way of a partition that it is to get."""
    above = ancestors(change.after.objects, partition)
    for number, one in enumerate(operations):
        refers = one.action == CREATE and getattr(change.after.objects[one.key], "type", "") == "foreign key"
        if refers and not above.isdisjoint(change.after.needs(one.key)):
            yield number

"""The order of privileges that roles grant on: a role holds what it grants to others before they do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.repair.operations import Change, Operation


def of_grantors(change: Change, operations: Sequence[Operation]) -> Iterator[tuple[int, int]]:
    """Yield (this operation, one that must come after it) for the privileges of a role and those that it grants on.

    REVOKE takes both, in any order.
    """
    numbers = defaultdict[Key, list[int]](list)
    for number, one in enumerate(operations):
        if one.key.kind == "grant":
            numbers[one.key].append(number)
    for key, mine in numbers.items():
        held, wanted = (_grantors(side.objects.get(key)) for side in (change.before, change.after))
        for role in wanted - held:
            yield from ((first, then) for first in _of(role, key, numbers) for then in mine)


def _of(role: str, key: Key, numbers: dict[Key, list[int]]) -> Iterator[int]:
    """Yield the operations on the privileges of a role on the same object; on a column, also those on its table."""
    kind, *path, _ = key.path
    yield from numbers.get(Key("grant", (kind, *path, role)), ())
    if kind == "column":
        for relation in ("table", "view", "foreign_table"):
            yield from numbers.get(Key("grant", (relation, *path[:2], role)), ())


def _grantors(record: Record | None) -> frozenset[str]:
    """Return the roles other than the owner that granted some of these privileges."""
    return frozenset(one.partition("/")[2] for one in getattr(record, "privileges", ()) if "/" in one)

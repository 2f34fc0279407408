"""Views that nobody expects and that read columns by their present names: they are created when these are given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, SWAPPED, Difference, Snapshot
from healthd.repair.dependencies import Dependencies


def late(
    expected: Snapshot, actual: Snapshot, differences: Iterable[Difference], kinds: Mapping[str, Kind]
) -> frozenset[Key]:
    """Return these views, and what needs them or belongs to them.

    A query names a column without its table, and so it is not known under its expected name. Views of tables that have
    another name as well have that in their queries already, and are not among them.
    """
    tables = frozenset(_tables(differences))
    if not tables:
        return frozenset()
    side = Dependencies(actual, kinds)
    found = set[Key]()
    waiting = [
        key
        for key in actual.objects
        if key.kind == "view" and key not in expected.objects and not tables.isdisjoint(side.mentioned(key).pairs)
    ]
    while waiting:
        key = waiting.pop()
        if key not in found and key not in expected.objects:
            found.add(key)
            waiting += [*side.dependents(key), *side.parts(key)]
    return frozenset(found)


def _tables(differences: Iterable[Difference]) -> Iterator[tuple[str, str]]:
    """Yield the tables with renamed or swapped columns that have their expected names themselves."""
    differences = tuple(differences)
    away = {one.key.path for one in differences if one.attribute in (NAME_OF, PLACE_OF, SCHEMA_OF)}
    for one in differences:
        path = (one.key.path[0], one.key.path[1]) if len(one.key.path) > 1 else None
        renamed = one.attribute == NAME_OF and one.key.kind == "column"
        column = renamed or (one.attribute == SWAPPED and one.key.kind != "enum")
        if column and path is not None and path not in away and path[:1] not in away:
            yield path

"""Foreign keys by which tables refer to each other in a circle: none of these tables can be dropped before they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from healthd.model.kinds import Path
from healthd.model.names import Key
from healthd.repair.dependencies import Dependencies


def circular_keys(among: Iterable[Key], side: Dependencies) -> frozenset[Key]:
    """Return the foreign keys from whose other table keys lead back; keys of a table to itself are none."""
    keys = [one for one in among if getattr(side.objects[one], "type", "") == "foreign key"]
    to = {one: {other.path[:2] for other in side.needs(one) if other.kind == "table"} - {one.path[:2]} for one in keys}
    ways: dict[Path, set[Path]] = {}
    for one, others in to.items():
        ways.setdefault(one.path[:2], set()).update(others)
    return frozenset(one for one in keys if one.path[:2] in _reached(to[one], ways))


def _reached(tables: Iterable[Path], ways: Mapping[Path, Iterable[Path]]) -> frozenset[Path]:
    """Return these tables, and all to which their keys lead in the end."""
    found, waiting = set[Path](), list(tables)
    while waiting:
        if (table := waiting.pop()) not in found:
            found.add(table)
            waiting += ways.get(table, ())
    return frozenset(found)

"""Types inside of other types: what the server refuses for them, and what must go with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from healthd.model.names import Key
from healthd.model.snapshots import Difference
from healthd.repair.dependencies import Dependencies


def is_inside(side: Dependencies, key: Key) -> bool:
    """Return whether a composite type is more than the type of columns, which can get another one."""
    if key.kind != "composite":
        return False
    return any(
        one.kind in ("composite", "domain", "range") or getattr(side.objects[one], "of_type", None)
        for one in side.dependents(key)
    )


def tightened(side: Dependencies, one: Difference, *, replaced: bool) -> Key | None:
    """Return the domain that gets a check or NOT NULL, if the server refuses: another type has it inside."""
    domain = Key("domain", one.key.path[:2])
    check = one.key.kind == "constraint" and (one.missing or replaced or one.attribute == "validated")
    if domain not in side.objects or not (check or (one.key == domain and one.attribute == "not_null")):
        return None
    return domain if _is_contained(side, domain) else None


def _is_contained(side: Dependencies, type_: Key) -> bool:
    """Return whether a composite or range type, or an array, contains a type, be it inside of a domain."""
    return any(
        _is_array(side, one)
        or one.kind in ("composite", "range")
        or (one.kind == "domain" and _is_contained(side, one))
        for one in side.dependents(type_)
    )


def _is_array(side: Dependencies, key: Key) -> bool:
    return key.kind == "column" and bool(side.objects[key].type.endswith("[]"))


def with_those_inside(side: Dependencies, types: Iterable[Key], gone: Collection[Key]) -> frozenset[Key]:
    """Return these types, and those that go too and that they need: an old type exists as long as what contains it."""
    found = set(types)
    waiting = list(found)
    while waiting:
        needed = {one for one in side.needs(waiting.pop()) if one in gone and side.types.get(one.sql) == one}
        waiting += needed - found
        found |= needed
    return frozenset(found)

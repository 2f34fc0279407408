"""A detached partition is one cause: the objects that it inherited are now its own, and follow from it."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from healthd.comparison.partitions import Path, above, attached_names, holder, partitions, rule_of, said
from healthd.config.settings import RULES
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot

Objects = dict[Key, Record]


def with_detached(
    expected: Snapshot, actual: Snapshot, rules: Mapping[Key, str]
) -> tuple[Snapshot, Snapshot, tuple[str, ...]]:
    """Return both sides as they are compared, and the names of detached tables that are allowed to be.

    Of a partition that should be attached only the bound differs, and what it lacks: also constraints of the tables
    above it. If partitions may be added and removed, it is omitted on both sides,
    with everything below it; in this case a table that is not in the files also counts as a former partition if it has
    the same columns as the partitioned table and its name begins with that table's name.
    """
    listed = partitions(expected)
    wanted, found = dict(expected.objects), dict(actual.objects)
    let_go = set(_retired(expected, actual, rules))
    constraints = functools.cache(lambda: _constraints(expected.objects))
    for key in detached(expected.objects, actual.objects):
        if rule_of(key.path, listed, rules) != RULES[0]:
            let_go.add(key.path)
        else:
            tables = list(above(key.path, listed))
            found = _as_attached(key, tables, wanted, found)
            wanted |= dict(_without_identity(key, wanted, actual.objects))
            above_it = [one for path in tables for one in constraints()[path]]
            wanted |= dict(_lost(key, above_it, actual.objects))
    if let_go:
        below = let_go | {path for path in listed | partitions(actual) if let_go & set(above(path, listed))}
        wanted, found = (
            {k: one for k, one in side.items() if holder(k, side) not in below} for side in (wanted, found)
        )
    sides = replace(expected, objects=wanted), replace(actual, objects=found)
    return *sides, tuple(sorted(Key("table", path).sql for path in let_go))


def detached(expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> Iterator[Key]:
    """Yield the tables that should be partitions and are not."""
    for key, record in expected.items():
        if key.kind in ("table", "foreign_table") and record.bound is not None and record.inherits:
            there = actual.get(key)
            if there is not None and there.bound is None:
                yield key


def _retired(expected: Snapshot, actual: Snapshot, rules: Mapping[Key, str]) -> Iterator[Path]:
    managed = [key for key, word in rules.items() if word != RULES[0] and key in expected.objects]
    if not managed:
        return
    new = [
        key.path
        for key, one in actual.objects.items()
        if key.kind == "table" and key not in expected.objects and one.bound is None and not one.inherits
    ]
    if new:
        columns = _columns(actual.objects)
        for path in new:
            if any(path[1].startswith(one.path[1]) and columns.get(path) == columns.get(one.path) for one in managed):
                yield path


def _columns(objects: Mapping[Key, Record]) -> dict[Path, frozenset[tuple[str, str]]]:
    found: dict[Path, set[tuple[str, str]]] = {}
    for key, one in objects.items():
        if key.kind == "column":
            found.setdefault(key.path[:2], set()).add((key.path[2], one.type))
    return {path: frozenset(columns) for path, columns in found.items()}


def _as_attached(key: Key, above: list[Path], expected: Objects, actual: Objects) -> Objects:
    """Return the objects as if a table were still a partition, except for its bound; what it inherits now is seen."""
    heir = bool(actual[key].inherits)
    found = {
        one: record
        for one, record in actual.items()
        if one in expected
        or holder(one, actual) != key.path
        or (heir and getattr(record, "type", "") == "check")
        or not _is_inherited(one, record, above, expected)
    }
    if not heir:
        found[key] = replace(found[key], inherits=expected[key].inherits)
    for one, record in expected.items():  # since 17 a partition inherits the identity of its table
        if one.kind == "column" and one.path[:2] == key.path and one in found and found[one].identity == "none":
            found[one] = replace(found[one], identity=record.identity)
    return found


def _without_identity(
    key: Key, expected: Mapping[Key, Record], actual: Mapping[Key, Record]
) -> Iterator[tuple[Key, Record]]:
    """Yield the columns with an identity of their own, as they must be: it has that of its table as a partition."""
    for one, record in expected.items():
        if one.kind == "column" and one.path[:2] == key.path and one in actual and actual[one].identity != "none":
            yield one, replace(record, identity="none")


def _constraints(expected: Mapping[Key, Record]) -> Mapping[Path, list[tuple[Key, Record]]]:
    found = defaultdict[Path, list[tuple[Key, Record]]](list)
    for key, record in expected.items():
        if key.kind == "constraint":
            found[key.path[:2]].append((key, record))
    return found


def _lost(key: Key, above: Iterable[tuple[Key, Record]], actual: Mapping[Key, Record]) -> Iterator[tuple[Key, Record]]:
    """Yield the constraints of the tables above that a detached table does not have, or has otherwise, as its own.

    Without a check it cannot be attached; keys and foreign keys would be made when it is, if its rows allow that.
    """
    own = {one: record for one, record in actual.items() if one.kind == "constraint" and one.path[:2] == key.path}
    for constraint, record in above:
        if record.type == "check":
            there = own.get(Key("constraint", (*key.path, constraint.path[2])))
            lost = there is None or said(there) != said(record)
            name = constraint.path[2]
        else:
            lost = constraint in actual and all(said(one) != said(record) for one in own.values())
            name = _name_of(key, constraint, record, actual) if lost else ""
        if lost and name:
            yield (
                Key("constraint", (*key.path, name)),
                replace(
                    record,
                    on=key.kind.replace("_", " "),
                    **dict.fromkeys(("partitions", "attached", "needs")),
                    clustered=False,
                    replica_identity=False,
                ),
            )


def _name_of(key: Key, constraint: Key, record: Record, actual: Mapping[Key, Record]) -> str:
    """Return the name of a constraint in a partition, by the indexes that are missing; "" if that is not known."""
    if record.type == "foreign key":
        return constraint.path[2]
    before, now = (set(attached_names(one)) for one in (record, actual[constraint]))
    names = [path[1] for one in before - now if (path := Key.parse(f"table:{one}").path)[0] == key.path[0]]
    if len(names) > 1:
        names = [name for name in names if name.startswith(f"{key.path[1]}_")]
    return names[0] if len(names) == 1 else ""


def _is_inherited(key: Key, record: Record, above: Iterable[Path], expected: Mapping[Key, Record]) -> bool:
    """Return whether an object of a table is defined by the table that it was a partition of."""
    if key.kind == "trigger":
        return any(Key("trigger", (*path, key.path[2])) in expected for path in above)
    if key.kind not in ("constraint", "index"):
        return False
    ours = ((other, one) for other, one in expected.items() if other.kind == key.kind and other.path[:2] in above)
    named = getattr(record, "type", "") == "check"  # a partition must have those of its table under their names
    return any(said(one) == said(record) and (not named or other.path[2] == key.path[2]) for other, one in ours)

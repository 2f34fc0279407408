"""Partitions are compared with the definition of their parent, whether or not sql/ lists them individually."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from healthd import catalog
from healthd.catalog.columns import Column
from healthd.catalog.grants import Grant
from healthd.catalog.tables import Table
from healthd.catalog.triggers import Trigger
from healthd.config.settings import RULES
from healthd.model.attributes import Record
from healthd.model.names import HANGING, Key
from healthd.model.snapshots import Snapshot
from healthd.sqltext.tokens import NAME

Path = tuple[str, ...]
Objects = dict[Key, Record]
T = TypeVar("T")


def with_partitions(expected: Snapshot, actual: Snapshot, rules: Mapping[Key, str]) -> tuple[Snapshot, Snapshot]:
    """Return both sides as they are compared: the expected side has the actual partitions.

    `rules` are words for partitioned tables, and apply to the entire tree below one; the default is `conform`.
    """
    sides = {key: partitions(one) for key, one in (("expected", expected), ("actual", actual))}
    listed, there = sides["expected"], sides["actual"]
    if not listed and not there:
        return expected, actual
    rule = {path: rule_of(path, listed | there, rules) for path in listed | there}
    away = {path for path, word in rule.items() if word == "ignore"}
    gone = away | {path for path in listed if rule[path] == "managed" and path not in there}
    wanted = _without(expected.objects, gone)
    found = _without(actual.objects, away)
    for path in listed.keys() & there.keys() - gone:
        key = _key(path, wanted)
        if rule[path] == "managed" and key in found:
            wanted[key] = replace(wanted[key], bound=found[key].bound)
    mine = {path: parent for path, parent in there.items() if path not in listed and path not in away}
    mine = {path: parent for path, parent in mine.items() if _key(path, wanted) not in wanted}
    for path, parent in _parents_first(mine):
        if Key("table", parent) in wanted:
            wanted |= dict(_promise(path, parent, wanted, found))
    return replace(expected, objects=wanted), replace(actual, objects=found)


def come_and_go(snapshot: Snapshot, rules: Mapping[Key, str]) -> frozenset[Path]:
    """Return the partitions whose names do not matter."""
    parents = partitions(snapshot)
    return frozenset(path for path in parents if rule_of(path, parents, rules) != RULES[0])


def partitions(snapshot: Snapshot) -> dict[Path, Path]:
    """Return the parent of each partition."""
    return {
        key.path: Key.parse(f"table:{record.inherits[0]}").path
        for key, record in snapshot.objects.items()
        if key.kind in ("table", "foreign_table") and record.bound is not None and record.inherits
    }


def rule_of(path: Path, parents: Mapping[Path, Path], rules: Mapping[Key, str]) -> str:
    """Return the word of a partition's nearest ancestor that has one."""
    while path in parents:
        path = parents[path]
        if word := rules.get(Key("table", path)):
            return word
    return RULES[0]


def _parents_first(parents: Mapping[Path, Path]) -> list[tuple[Path, Path]]:
    def depth(path: Path) -> int:
        return 1 + depth(parents[path]) if path in parents else 0

    return sorted(parents.items(), key=lambda one: (depth(one[0]), one))


def _key(path: Path, objects: Mapping[Key, Record]) -> Key:
    foreign = Key("foreign_table", path)
    return foreign if foreign in objects else Key("table", path)


def holder(key: Key, objects: Mapping[Key, Record]) -> Path | None:
    """Return the path of the table that one of these objects is, or that it belongs to; None if there is none."""
    if key.kind in HANGING:
        depth = catalog.KINDS[key.path[0]].depth or len(key.path)
        return holder(Key(key.path[0], key.path[1 : depth + 1]), objects)
    return catalog.KINDS[key.kind].table_of(key, objects.get(key))


def _without(objects: Mapping[Key, Record], gone: Iterable[Path]) -> Objects:
    """Return the objects without those of these partitions, and without their states in triggers."""
    paths = frozenset(gone)
    if not paths:
        return dict(objects)
    kept = {key: record for key, record in objects.items() if holder(key, objects) not in paths}
    for key, record in kept.items():
        if isinstance(record, Trigger) and record.partitions:
            left = (one for one in record.partitions if Key.parse(f"table:{one.rsplit(' ', 1)[0]}").path not in paths)
            kept[key] = replace(record, partitions=tuple(left))
    return kept


def _promise(
    path: Path, parent: Path, expected: Mapping[Key, Record], actual: Mapping[Key, Record]
) -> Iterator[tuple[Key, Record]]:
    """Yield what a partition must be, given its parent: itself, its columns, its owner, and what else it may have."""
    key, above = _key(path, actual), expected[Key("table", parent)]
    yield key, _table(actual[key], above)
    for one, record in expected.items():
        if one.kind == "column" and one.path[:2] == parent:
            mine = Key("column", (*path, *one.path[2:]))
            yield mine, _column(actual[mine], record) if mine in actual else record
        elif one.kind == "owner" and one.path == ("table", *parent):
            yield Key("owner", (key.kind, *path)), record
    for one, record in actual.items():
        if holder(one, actual) == path and _may_have(one, record, parent, expected):
            yield one, record


def _table(actual: Record, parent: Table) -> Record:
    """Return a partition's own record as it must be: like its parent's, or with the defaults."""
    if not isinstance(actual, Table):
        return actual  # only its own record contains where its rows are
    # Before PostgreSQL 17 a partitioned table has no access method of its own; since then it may have one.
    method = "heap" if actual.partitioned_by is None else None
    return replace(
        actual,
        unlogged=parent.unlogged,
        row_security=_either(actual.row_security, parent.row_security, "off"),
        of_type=None,
        replica_identity=_either(actual.replica_identity, parent.replica_identity, "default"),
        options=None,
        access_method=_either(actual.access_method, parent.access_method or method, method),
        tablespace=_either(actual.tablespace, parent.tablespace, None),
    )


def _column(actual: Column, parent: Column) -> Column:
    """Return a partition's column as it must be; what matters only for rows inserted directly into it may be absent."""
    return replace(
        parent,
        on=actual.on,
        default=parent.default if parent.generated != "none" else _either(actual.default, parent.default, None),
        identity=_either(actual.identity, parent.identity, "none"),
        not_null_validated=_either(actual.not_null_validated, parent.not_null_validated, True),
        not_null_name=actual.not_null_name,
        not_null_apart=actual.not_null_apart,
        inherited=actual.inherited,
        storage=_either(actual.storage, parent.storage, None),
        compression=_either(actual.compression, parent.compression, None),
        statistics=_either(actual.statistics, parent.statistics, None),
        options=_either(actual.options, parent.options, None),
        foreign_options=actual.foreign_options,
    )


def _either(actual: T, *allowed: T) -> T:
    """Return the actual value if it is allowed, otherwise the first allowed one."""
    return actual if actual in allowed else allowed[0]


def _may_have(key: Key, record: Record, parent: Path, expected: Mapping[Key, Record]) -> bool:
    """Return whether a partition may have this: its parent's policy, or a privilege that holds there or by default."""
    if key.kind == "policy":
        return bool(expected.get(Key("policy", (*parent, key.path[-1]))) == record)
    return key.kind == "grant" and _granted(key, record, parent, expected)


def _granted(key: Key, grant: Grant, parent: Path, expected: Mapping[Key, Record]) -> bool:
    """Return whether a role may hold this on a partition: it holds it on the parent, or by default on tables."""
    kind, *path, grantee = key.path
    promised = [expected.get(Key("grant", ("table", *parent, grantee)))]
    if kind == "column":
        promised.append(expected.get(Key("grant", ("column", *parent, path[-1], grantee))))
    promised += [
        record
        for one, record in expected.items()
        if one.kind == "default_privileges"
        and one.path[1] == "tables"
        and one.path[-1] == grantee
        and one.path[2:-1] in ((), (path[0],))
    ]
    held = set(grant.privileges)
    return any(held <= set(one.privileges) or "ALL" in one.privileges for one in promised if one is not None)


def above(path: Path, parents: Mapping[Path, Path]) -> Iterator[Path]:
    """Yield the table of a partition, the table of that, and so on."""
    while path in parents:
        path = parents[path]
        yield path


def said(record: Record) -> tuple[bool, str]:
    """Return the definition of a constraint or an index, without its name and its table."""
    _, using, after = record.definition.partition(" USING ")
    return getattr(record, "unique", False), after if using and record.definition.startswith(
        "CREATE"
    ) else record.definition


def attached_names(record: Record) -> list[str]:
    """Return the names, as SQL, of the indexes of partitions that are attached to an index or to that of a key."""
    return ATTACHED.findall(getattr(record, "attached", None) or "")


ATTACHED = re.compile(rf"{NAME}\.{NAME}")

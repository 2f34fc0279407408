"""What could happen to a schema: objects are dropped, changed or opened to everybody; and the SQL that does it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.grants import Grant
from healthd.catalog.roles import PUBLIC
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot
from healthd.repair.dependencies import Dependencies
from healthd.repair.script import changes, each_once


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that happens to a schema: the object, what happens to it in words, and the SQL that does it.

    `gone` are the objects that are dropped together with it.
    """

    key: Key
    words: str
    statements: tuple[str, ...]
    gone: frozenset[Key] = frozenset()


Change = Callable[[Record], Mapping[str, Any] | None]  # the attributes that get other values; None: not this record


def _label(record: Record) -> Mapping[str, Any] | None:
    """Rename the first label in upper case, as an application does that stores names in place of values."""
    first = record.labels[0] if record.labels else ""
    other = first.upper() if first.upper() != first else f"{first}_x"
    return {"labels": (other, *record.labels[1:])} if first and other not in record.labels else None


def _plain(record: Record) -> bool:
    """Return whether a column is an ordinary one of a table, which can be altered alone."""
    ordinary = record.on == "table" and record.identity == "none" and record.generated == "none"
    return ordinary and not record.inherited


def _nullable(record: Record) -> Mapping[str, Any] | None:
    """Let a column accept NULL."""
    return {"not_null": False} if record.not_null and not record.not_null_apart and _plain(record) else None


def _default(record: Record) -> Mapping[str, Any] | None:
    """Take the default of a column."""
    return {"default": None} if record.default is not None and _plain(record) else None


def _shorter(record: Record) -> Mapping[str, Any] | None:
    """Make a text column shorter."""
    return {"type": "character varying(7)"} if record.type == "text" and _plain(record) else None


def _off(record: Record) -> Mapping[str, Any] | None:
    """Switch a trigger off."""
    return {"enabled": "disabled"} if record.enabled == "origin" and record.on == "table" else None


def _open(record: Record) -> Mapping[str, Any] | None:
    """Switch row security off."""
    return {"row_security": "off"} if record.row_security != "off" else None


def _definer(record: Record) -> Mapping[str, Any] | None:
    """Let a function run with its owner's privileges."""
    return {"security_definer": True} if not record.security_definer and record.kind != "procedure" else None


# By kind: what happens, and the change of the record.
CHANGES: Mapping[str, tuple[tuple[str, Change], ...]] = {
    "enum": (("a label was renamed", _label),),
    "column": (
        ("it accepts NULL", _nullable),
        ("its default is gone", _default),
        ("it is shorter", _shorter),
    ),
    "trigger": (("it is switched off", _off),),
    "table": (("its row security is switched off", _open),),
    "function": (("it runs with its owner's privileges", _definer),),
}
DROPPED, GAINED = "it was dropped", "everybody can read it"


def damages(snapshot: Snapshot, *, migrator: str, each: int) -> Iterator[Damage]:
    """Yield what can happen to a schema, to `each` objects of a kind at most in each way.

    `migrator` is the role that runs the SQL, which loses whatever it must.
    """
    parts = Dependencies(snapshot, KINDS)
    counts = defaultdict[tuple[str, str], int](int)
    for key, words, after in _ways(snapshot, parts):
        if counts[key.kind, words] == each:
            continue
        found = changes(after, snapshot, migrator=migrator)
        statements = each_once(sql for operation in found for sql in operation.statements)
        if statements:
            counts[key.kind, words] += 1
            yield Damage(key, words, statements, frozenset(snapshot.objects.keys() - after.objects.keys()))


def _ways(snapshot: Snapshot, parts: Dependencies) -> Iterator[tuple[Key, str, Snapshot]]:
    """Yield object, words and the snapshot afterwards."""
    objects = snapshot.objects
    alone = frozenset(_of_others(parts))
    for key in sorted(objects):
        kind, record = KINDS[key.kind], objects[key]
        if kind.loss(record) is not None and not kind.provided:
            gone = frozenset(_closure(key, parts))
            yield key, DROPPED, replace(snapshot, objects={one: objects[one] for one in objects.keys() - gone})
        for words, change in () if key in alone else CHANGES.get(key.kind, ()):
            if (values := change(record)) is not None:
                yield key, words, replace(snapshot, objects={**objects, key: replace(record, **values)})
        if key.kind == "table":
            everybody = Key("grant", (key.kind, *key.path, PUBLIC))
            if everybody not in objects:
                yield key, GAINED, replace(snapshot, objects={**objects, everybody: Grant(("SELECT",))})


def _of_others(parts: Dependencies) -> Iterator[Key]:
    """Yield the columns that cannot be altered alone: those of a primary key, and those of a table that inherits."""
    for key, record in parts.objects.items():
        if key.kind == "constraint" and record.type == "primary key":
            yield from parts.needs(key)
        elif key.kind == "column":
            table = parts.objects.get(Key("table", key.path[:2]))
            if table is not None and table.inherits:
                yield key


def _closure(key: Key, parts: Dependencies) -> Iterator[Key]:
    """Yield an object, and all that goes with it: its parts, and what needs one of them."""
    seen: set[Key] = set()
    left = [key]
    while left:
        one = left.pop()
        if one not in seen:
            seen.add(one)
            yield one
            left += [*parts.own_parts(one), *parts.dependents(one)]


def answers(damage: Damage, named: Iterable[Key]) -> bool:
    """Return whether one of these is the damaged object, a part of it, what it is a part of, or gone with it."""
    key = damage.key
    return any(one in damage.gone or _is_within(one, key) or _is_within(key, one) or _about(one, key) for one in named)


def _is_within(one: Key, other: Key) -> bool:
    return one.path[: len(other.path)] == other.path


def _about(one: Key, key: Key) -> bool:
    """Return whether an owner or a privilege is that of an object."""
    return one.kind in ("grant", "owner", "comment") and one.path[1 : 1 + len(key.path)] == key.path

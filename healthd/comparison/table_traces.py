"""What tells which table is which, although all have the same columns: what stays with a table under another name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.columns import NAMED_NOT_NULL, not_null_name
from healthd.comparison.renames import AS_WRITTEN
from healthd.model.attributes import Record, attributes
from healthd.model.kinds import Path
from healthd.model.names import HANGING, Key, folded
from healthd.model.snapshots import Snapshot
from healthd.sqltext.tokens import NAME

Objects = Mapping[Key, Record]
Edge = tuple[Key, Key]  # an expected table, and the actual one that it is
Marks = Mapping[Path, frozenset[Any]]  # what each table has, by its path

PARTS = ("index", "constraint", "trigger", "policy", "rule")  # a rename leaves their names as they are
BELOW = ("sequence", "statistics")  # the same for these, whose paths do not contain the table


@dataclass(frozen=True, slots=True)
class Traces:
    """What was found of tables on both sides."""

    names: tuple[Marks, Marks]  # of what belongs to them
    said: tuple[Marks, Marks]  # what is said of them, which people also say again: privileges, comments, options
    # Which actual ones are mentioned in the place of an expected one, by objects that both sides have: they follow a
    # table that is renamed.
    mentioned: Mapping[Key, frozenset[Key]]


def traces(expected: Snapshot, actual: Snapshot, tables: Iterable[Key]) -> Traces:
    """Return what is found of these expected tables, and of all actual ones that have no such name."""
    wanted = {key.path for key in tables}
    there = wanted | {key.path for key in actual.objects.keys() - expected.objects.keys() if key.kind == "table"}
    named = min(expected.server_version, actual.server_version) >= NAMED_NOT_NULL
    return Traces(
        (_names(expected.objects, wanted, named=named), _names(actual.objects, there, named=named)),
        (_said(expected.objects, wanted), _said(actual.objects, there)),
        _grouped(_mentioned(expected.objects, actual.objects, wanted, there)),
    )


def _grouped(edges: Iterable[Edge]) -> Mapping[Key, frozenset[Key]]:
    found = defaultdict[Key, set[Key]](set)
    for key, there in edges:
        found[key].add(there)
    return {key: frozenset(tables) for key, tables in found.items()}


def recognized(known: Traces, wanted: Collection[Key], there: Collection[Key]) -> tuple[list[Edge], frozenset[Edge]]:
    """Return which of the expected tables is which of the actual ones, and what contradicts itself.

    The names of what belongs to a table count most. An object that mentions it may have been created again, and so it
    says nothing of two tables whose own names say something else. What is said of a table counts where nothing else
    does.
    """
    names = set(_same(known.names, wanted, there))
    named, there_named = ({edge[side] for edge in names} for side in (0, 1))
    others = frozenset(there)
    mentioned = {(key, one) for key in wanted for one in known.mentioned.get(key, frozenset()) & others}
    strong = names | {(key, one) for key, one in mentioned if key not in named or one not in there_named}
    told, there_told = ({edge[side] for edge in strong} for side in (0, 1))
    left, free = [key for key in wanted if key not in told], [key for key in there if key not in there_told]
    weak, _ = _alone(set(_same(known.said, left, free)))
    sure, disputed = _alone(strong)
    return sorted([*sure, *weak]), frozenset(disputed)


def _alone(edges: Collection[Edge]) -> tuple[list[Edge], list[Edge]]:
    """Return the pairs in which neither table is in another pair, and all others."""
    count = defaultdict[tuple[int, Key], int](int)
    for edge in edges:
        for side in enumerate(edge):
            count[side] += 1
    sure = {edge for edge in edges if all(count[side] == 1 for side in enumerate(edge))}
    return sorted(sure), [edge for edge in edges if edge not in sure]


def _same(marks: tuple[Marks, Marks], wanted: Iterable[Key], there: Iterable[Key]) -> Iterator[Edge]:
    """Yield the pairs that have something which no other table among these has on either side."""
    one, other = _owners(marks[0], wanted), _owners(marks[1], there)
    yield from ((key, other[mark]) for mark, key in one.items() if mark in other)


def _owners(marks: Marks, tables: Iterable[Key]) -> dict[Any, Key]:
    """Return the tables by what only they have."""
    found = defaultdict[Any, list[Key]](list)
    for key in tables:
        for mark in marks.get(key.path, ()):
            found[mark].append(key)
    return {mark: keys[0] for mark, keys in found.items() if len(keys) == 1}


def _names(objects: Objects, tables: Collection[Path], *, named: bool) -> Marks:
    """Return the names of what belongs to each table."""
    found = defaultdict[Path, set[Any]](set)
    for key, record in objects.items():
        path = key.path[:2]
        if key.kind in BELOW:
            table = KINDS[key.kind].table(key, record)
            if table in tables and table is not None:
                found[table].add((key.kind, key.path[1]))
        elif path not in tables:
            continue
        elif key.kind in PARTS:
            found[path].add(("index" if key.kind == "constraint" else key.kind, key.path[2]))
        elif named and key.kind == "column" and record.not_null:
            found[path].add(("not null", key.path[2], not_null_name(key, record)))
    return {path: frozenset(marks) for path, marks in found.items()}


def _said(objects: Objects, tables: Collection[Path]) -> Marks:
    """Return what is said of each table, and of its columns."""
    found = defaultdict[Path, set[Any]](set)
    for key, record in objects.items():
        if key.kind in HANGING and key.path[1:3] in tables and key.path[0] in ("table", "column"):
            found[key.path[1:3]].add((key.kind, key.path[3:], repr(record)))
        elif key.kind == "publication_table" and key.path[1:3] in tables:
            found[key.path[1:3]].add((key.kind, key.path[0], repr(record)))
        elif key.kind == "table" and key.path in tables and record.options:
            found[key.path].add((key.kind, record.options))
    return {path: frozenset(marks) for path, marks in found.items()}


def _mentioned(expected: Objects, actual: Objects, wanted: Collection[Path], there: Collection[Path]) -> Iterator[Edge]:
    """Yield what objects that mention a table mention in its place now."""
    for key, record in expected.items():
        other = actual.get(key)
        if other is None or key.kind in HANGING or key.kind in BELOW or key.path[:2] in wanted:
            continue  # the names of what belongs to a table are read above
        tables = list(_tables(record, wanted))
        now = list(_tables(other, there)) if tables else []
        if len(tables) == len(now):
            yield from ((Key("table", one), Key("table", two)) for one, two in zip(tables, now, strict=True))


def _tables(record: Record, tables: Collection[Path]) -> Iterator[Path]:
    """Yield the tables among these that the texts of an object mention, in their order."""
    for name in attributes(type(record)):
        value = getattr(record, name) if name not in AS_WRITTEN else None
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and "." in text:
                for match in QUALIFIED.finditer(CONSTANT.sub("", text)):
                    if (path := (folded(match[1]), folded(match[2]))) in tables:
                        yield path


QUALIFIED = re.compile(rf'(?<![\w$."])({NAME})\.({NAME})')
CONSTANT = re.compile(r"'(?:[^']|'')*'(?!::regclass)")  # its text does not follow a rename

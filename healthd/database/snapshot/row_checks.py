"""Rows as the server sends them: whether they contain what every object must have."""

import dataclasses
import functools
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, get_args, get_type_hints

from healthd.model.attributes import Record, attributes
from healthd.model.kinds import Kind
from healthd.model.names import Key


def lacking(kind: Kind, rows: Sequence[Sequence[Any]]) -> str | None:
    """Return a field's name, or `name`, that is NULL in some row but must not be; None if the rows are complete.

    pg_get_* return NULL for objects that were dropped since the transaction began: that is not a definition.
    """
    for position, name in _needed(kind.record, kind.depth):  # type: ignore[arg-type] # types are hashable
        if None in map(itemgetter(position), rows):
            return name
    for position, name in enumerate(attributes(kind.record), max(kind.depth, 1)):
        if name in ("type", "default") and GONE in map(itemgetter(position), rows):
            return name
    return None


GONE = "???"  # format_type's name for a dropped type, and that of our queries for a default whose table was dropped


@functools.cache
def _needed(record: Any, depth: int) -> tuple[tuple[int, str], ...]:
    """Return position and name of each column that is not NULL in any row."""
    names = max(depth, 1)  # a path of variable length is one column
    hints = get_type_hints(record)
    fields = ((names + at, name) for at, name in enumerate(record.__dataclass_fields__))
    return (
        *((at, "name") for at in range(names)),
        *((at, name) for at, name in fields if type(None) not in get_args(hints[name])),
    )


@functools.cache
def _lists(record: Any, names: int) -> tuple[int, ...]:
    """Return the positions of the columns that are arrays, after those of the names."""
    fields = enumerate(dataclasses.fields(record), names)
    return tuple(position for position, one in fields if "tuple[" in str(one.type))


def key_of(kind: Kind, row: Sequence[Any]) -> Key:
    """Return the key of the object of one row."""
    return Key(kind.name, tuple(row[: kind.depth] if kind.depth else row[0]))


def objects_of(kind: Kind, rows: Sequence[Sequence[Any]]) -> dict[Key, Record]:
    """Return the objects of a kind by their keys; of two with the same key the last."""
    depth, record, name = kind.depth, kind.record, kind.name
    lists = _lists(record, max(depth, 1))  # type: ignore[arg-type] # types are hashable
    objects = {}
    for row in rows:
        if lists:
            row = list(row)
            for position in lists:
                row[position] = tuple(row[position])
        if depth == 0:
            objects[Key(name, tuple(row[0]))] = record(*row[1:])
        else:
            objects[Key(name, tuple(row[:depth]))] = record(*row[depth:])
    return objects

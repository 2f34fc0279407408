"""Rows as the server sends them: whether they hold what no object can be without."""

import functools
from collections.abc import Sequence
from typing import Any, get_args, get_type_hints

from healthd.model import Kind, attributes


def lacking(kind: Kind, rows: Sequence[Sequence[Any]]) -> str | None:
    """Return what is NULL in some row and cannot be, a field's name or `name`; None when the rows are whole.

    pg_get_* answer NULL for what was dropped since the transaction began: that is no definition.
    """
    for position, name in _needed(kind.record, kind.depth):  # type: ignore[arg-type] # types are hashable
        if any(row[position] is None for row in rows):
            return name
    for position, name in enumerate(attributes(kind.record), max(kind.depth, 1)):
        if name in ("type", "default") and any(row[position] == GONE for row in rows):
            return name
    return None


GONE = "???"  # what format_type says of a type that is gone, and our queries of a default whose table is


@functools.cache
def _needed(record: Any, depth: int) -> tuple[tuple[int, str], ...]:
    """Return position and name of each column of a row that holds a value in every row."""
    names = max(depth, 1)  # a path of any length comes in one column
    hints = get_type_hints(record)
    fields = ((names + at, name) for at, name in enumerate(record.__dataclass_fields__))
    return (
        *((at, "name") for at in range(names)),
        *((at, name) for at, name in fields if type(None) not in get_args(hints[name])),
    )

"""Where columns that are added come to stand: no statement puts one before others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from healthd.model.names import Key
from healthd.repair.operations import Change
from healthd.sqltext.tokens import listed


def position(change: Change, column: Key) -> int:
    """Return the expected position of a column among those of its table; a high one if it is not known."""
    names = _expected_order(change, column)
    return names.index(column.path[2]) if column.path[2] in names else len(names)


def of_place(change: Change, column: Key) -> Iterator[str]:
    """Yield that a column which is added does not get its place back, if others stand before it then."""
    if not any(key in change.before.objects and key not in change.gone for key in _tables(column)):
        return  # it is created with its table
    names = _expected_order(change, column)[position(change, column) + 1 :]
    later = [Key("column", (*column.path[:2], name)) for name in names]
    first = [key for key in later if _stands_before(change, key, column)]
    if first:
        last = len(first) == len(later)
        place = "becomes the last column" if last else f"gets its place behind {first[-1].sql}"
        yield (
            f"{column.sql} {place}: SELECT * and INSERT without names of columns "
            "have another order than in other databases."
        )


def _stands_before(change: Change, other: Key, column: Key) -> bool:
    """Return whether a column is there when another one is added: it stays, or that one is computed from it."""
    stays = other in change.before.objects and other not in change.gone
    return stays or (other in change.made and other in change.after.needs(column))


def _expected_order(change: Change, column: Key) -> Sequence[str]:
    for table in _tables(column):
        if table in change.after.objects:
            return listed(change.after.objects[table].column_order or "")
    return ()


def _tables(column: Key) -> tuple[Key, ...]:
    return tuple(Key(kind, column.path[:2]) for kind in ("table", "foreign_table"))

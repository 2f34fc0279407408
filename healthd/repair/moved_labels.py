"""Enums that are created again because labels are at other places: their rows may have been given other meanings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from healthd.catalog.enums import moved
from healthd.model.observations import Size
from healthd.repair.contained_types import with_those_inside
from healthd.repair.online import has_rows
from healthd.repair.operations import ALTER, Change, Operation


def of_conversion(change: Change, one: Operation, sizes: Mapping[str, Size]) -> Iterator[str]:
    """Yield what a reader should know before the values of a column become such a type by their text.

    If labels were exchanged with RENAME VALUE, and no text of another object shows it, the rows are wrong.
    """
    if (one.action, one.attribute) != (ALTER, "type") or (type_ := change.converted.get(one.key)) is None:
        return
    if not has_rows(change, one.key, sizes):
        return
    for key in sorted(with_those_inside(change.before, (type_,), change.gone)):
        if key.kind == "enum" and key in change.after.objects:
            wanted, there = (side.objects[key].labels for side in (change.after, change.before))
            if moved(wanted, there):
                yield (
                    f"If labels of {key.sql} were exchanged with RENAME VALUE, {one.key.sql} has the other label's "
                    "meaning in its rows: look at them before you run this."
                )

"""Columns that a table has from one that should not be above it: nobody renamed them, and nobody can."""

from collections.abc import Mapping

from healthd.model.attributes import Record
from healthd.model.names import Key

Objects = Mapping[Key, Record]


def is_of_other_parent(column: Key, expected: Objects, actual: Objects) -> bool:
    """Return whether a column comes from a table that is above its table and is not expected there.

    A table that has another name than expected, because it was renamed, is no other one.
    """
    for table in (Key(kind, column.path[:2]) for kind in ("table", "foreign_table")):
        if (there := actual.get(table)) is None or not there.inherits:
            continue
        wanted = getattr(expected.get(table), "inherits", ())
        if all(Key.parse(f"table:{one}") in actual for one in wanted):
            others = (Key.parse(f"table:{one}").path for one in there.inherits if one not in wanted)
            return any(Key("column", (*path, column.path[2])) in actual for path in others)
    return False

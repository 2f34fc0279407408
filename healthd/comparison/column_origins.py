"""Which column of the files each column of a table once was, by the numbers that the catalog gave them.

A number stays with a column whatever its name becomes, and is never given again. So the columns of a table that a
migration created stand in the expected order, those too that were renamed or dropped by hand, and those that were added
by hand stand behind them. A column that no one but a migration has changed has its expected name: it shows where others
must be, and that they are where they must be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from healthd.model.observations import TouchedColumn

Origins = Mapping[str, str | None]  # from a column's present name to its expected one; None: it was added by hand


def origins(order: Sequence[str], history: Sequence[TouchedColumn]) -> Origins | None:
    """Return what the columns of a table were, None if that is not certain.

    `order` has the expected names of all columns of the table, `history` all columns in the order of their numbers.
    """
    if not history or not all(one.migrated_table for one in history):
        return None
    found: dict[str, str | None] = {}
    start, between = 0, list[TouchedColumn]()
    for column in history:
        if not column.untouched:
            between.append(column)
        elif column.name is not None:  # otherwise a migration has dropped it
            if column.name not in order[start:]:
                return None
            end = order.index(column.name)
            if not _placed(order[start:end], between, found):
                return None
            found[column.name] = column.name
            start, between = end + 1, []
    return found if _placed(order[start:], between, found) else None


def _placed(names: Sequence[str], columns: Sequence[TouchedColumn], found: dict[str, str | None]) -> bool:
    """Note what these columns were, those behind as many as expected as added; return whether they are enough."""
    for position, column in enumerate(columns):
        if column.name is not None:
            found[column.name] = names[position] if position < len(names) else None
    return len(columns) >= len(names)

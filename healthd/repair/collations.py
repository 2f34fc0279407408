"""Columns whose collation is dropped and created again: they have the usual one meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from healthd.model.kinds import Statements
from healthd.model.names import Key, quote
from healthd.model.snapshots import Place
from healthd.repair.dependencies import Dependencies

Step = tuple[Key, str | None, Statements, Place]  # object, attribute, SQL, and the difference that it is for


def taken(columns: Mapping[Key, Place], before: Dependencies) -> Iterator[Step]:
    """Yield the steps that take their collation from columns; `columns` are these, with the cause."""
    for column, cause in columns.items():
        yield column, None, (f'{_alter(column)} {before.objects[column].type} COLLATE pg_catalog."default";',), cause


def given(columns: Mapping[Key, Place], after: Dependencies, places: Collection[Place]) -> Iterator[Step]:
    """Yield the steps that give columns their collation again, unless they get another type, at one of `places`."""
    for column, cause in columns.items():
        expected = after.objects.get(column)
        if expected is not None and (column, "type") not in places and (column, "collation") not in places:
            sql = f"{_alter(column)} {expected.type} COLLATE {expected.collation};"
            yield column, "collation", (sql,), cause


def _alter(column: Key) -> str:
    return f"ALTER TABLE {Key('table', column.path[:2]).sql} ALTER COLUMN {quote(column.path[2])} TYPE"

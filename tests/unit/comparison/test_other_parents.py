"""Columns of a table that was put below another one are not renamed ones."""

from dataclasses import replace

import pytest

from healthd.catalog import KINDS
from healthd.catalog.columns import Column
from healthd.catalog.schemas import Schema
from healthd.catalog.tables import Table
from healthd.comparison.renames import aligned
from healthd.comparison.retyped_columns import retyped_back
from healthd.comparison.swapped_columns import suspects
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.observations import TouchedColumn
from healthd.model.snapshots import Snapshot

TABLE = Table(False, None, (), None, "off", column_order="id, day")
PARTITION = replace(TABLE, inherits=("app.log",), bound="DEFAULT", column_order="id, at")
ABOVE = replace(TABLE, partitioned_by="LIST (id)")
INTEGER, DATE, TEXT = (Column(type_, False, None, "none", "none", None) for type_ in ("integer", "date", "text"))
HISTORY = {Key("table", ("app", "later")): tuple(TouchedColumn(name, (9, 0), False, True) for name in ("id", "at"))}


def snapshot(later: Table, columns: dict[str, Column], column: str = "at") -> Snapshot:
    objects: dict[str, Record] = {
        "schema:app": Schema(),
        "table:app.log": replace(ABOVE, column_order=f"id, {column}"),
        "column:app.log.id": INTEGER,
        f"column:app.log.{column}": DATE,
        "table:app.later": later,
        **{f"column:app.later.{name}": column for name, column in columns.items()},
    }
    return Snapshot(180000, {Key.parse(name): record for name, record in objects.items()})


@pytest.mark.parametrize("below", [PARTITION, replace(PARTITION, bound=None)])
def test_a_column_of_another_table_is_no_renamed_one(below: Table) -> None:
    expected, actual = snapshot(TABLE, {"id": INTEGER, "day": DATE}), snapshot(below, {"id": INTEGER, "at": DATE})

    assert () == aligned(expected, actual, KINDS)[1]


def test_a_column_of_another_table_and_type_is_no_renamed_one() -> None:
    expected, actual = snapshot(TABLE, {"id": INTEGER, "day": TEXT}), snapshot(PARTITION, {"id": INTEGER, "at": DATE})

    assert () == retyped_back(expected, actual, HISTORY)[1]


def test_columns_of_another_table_are_not_swapped() -> None:
    columns = {"id": INTEGER, "at": DATE}
    expected, actual = snapshot(replace(TABLE, column_order="at, id"), columns), snapshot(PARTITION, columns)

    assert () == suspects(expected, actual)


def test_a_column_that_was_renamed_in_the_expected_table_above_is_a_renamed_one() -> None:
    below = replace(PARTITION, bound=None)
    expected = snapshot(replace(below, column_order="id, day"), {"id": INTEGER, "day": DATE}, column="day")
    actual = snapshot(below, {"id": INTEGER, "at": DATE})

    _, found = aligned(expected, actual, KINDS)

    assert [("column:app.log.day", "day", "at")] == [(str(one.key), one.expected, one.actual) for one in found]

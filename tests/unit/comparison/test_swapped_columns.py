"""Swapped names are distinguished from columns in another order."""

from healthd.comparison.swapped_columns import repair, stands_as_made
from healthd.model.names import Key
from healthd.model.observations import TouchedColumn
from healthd.model.snapshots import SWAPPED, Difference

NAMES = {"last": "first", "first": "last"}


def column(name: str | None, at: int, *, untouched: bool = False, migrated: bool = True) -> TouchedColumn:
    return TouchedColumn(name, (at, 0), untouched, migrated)


def test_an_unchanged_column_was_not_renamed() -> None:
    assert stands_as_made([column("last", 1, untouched=True), column("first", 5)], NAMES)


def test_two_changed_columns_may_be_swapped() -> None:
    assert not stands_as_made([column("last", 5), column("first", 4)], NAMES)
    assert not stands_as_made([column("last", 4), column("first", 5)], NAMES)
    assert not stands_as_made([], NAMES)


def test_a_column_dropped_in_between_was_created_again() -> None:
    assert stands_as_made([column(None, 4), column("last", 3), column("first", 5)], NAMES)
    assert not stands_as_made([column(None, 2), column("last", 6), column("first", 5)], NAMES)


def test_the_columns_of_an_unmigrated_table_may_have_been_added_one_by_one() -> None:
    assert stands_as_made([column("last", 4, migrated=False), column("first", 5, migrated=False)], NAMES)
    assert not stands_as_made([column("last", 5, migrated=False), column("first", 4, migrated=False)], NAMES)


def test_names_are_restored_in_a_chain_and_in_a_cycle() -> None:
    table = Key("table", ("app", "people"))
    taken = ["b_aside"]

    assert "ALTER TABLE app.people RENAME COLUMN b TO a;\nALTER TABLE app.people RENAME COLUMN c TO b;" == (
        repair(Difference(table, SWAPPED, ("a", "b"), ("b", "c")), taken)
    )
    assert [
        "ALTER TABLE app.people RENAME COLUMN b TO b_aside1;",
        "ALTER TABLE app.people RENAME COLUMN a TO b;",
        "ALTER TABLE app.people RENAME COLUMN b_aside1 TO a;",
    ] == repair(Difference(table, SWAPPED, ("a", "b"), ("b", "a")), taken).splitlines()

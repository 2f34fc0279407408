"""What the columns of a table once were follows from their numbers, where it is certain."""

from healthd.comparison.column_origins import origins
from healthd.model.observations import TouchedColumn


def column(name: str | None, *, untouched: bool = False, migrated: bool = True) -> TouchedColumn:
    return TouchedColumn(name, (1, 0), untouched, migrated)


ID = column("id", untouched=True)


def test_a_column_keeps_its_number_whatever_its_name_becomes() -> None:
    assert {"id": "id", "v": "w"} == origins(["id", "v", "w"], [ID, column(None), column("v")])


def test_a_column_that_was_added_by_hand_stands_behind_those_of_the_migrations() -> None:
    history = [ID, column(None), column(None), column("w"), column("v")]

    assert {"id": "id", "w": None, "v": None} == origins(["id", "v", "w"], history)


def test_a_column_that_a_migration_dropped_is_none_of_the_expected_ones() -> None:
    history = [ID, column(None, untouched=True), column("w"), column("v")]

    assert {"id": "id", "w": "v", "v": "w"} == origins(["id", "v", "w"], history)


def test_a_column_of_a_later_migration_stands_behind_those_that_were_added_by_hand() -> None:
    history = [ID, column(None), column("more"), column("last", untouched=True)]

    assert {"id": "id", "more": None, "last": "last"} == origins(["id", "v", "last"], history)


def test_nothing_is_certain_of_other_columns_than_expected() -> None:
    assert origins(["id", "v"], []) is None
    assert origins(["id", "v"], [ID]) is None
    assert origins(["id", "v"], [ID, column("v", migrated=False)]) is None
    assert origins(["v", "id"], [ID, column("v")]) is None
    assert origins(["id", "v"], [ID, column("x", untouched=True)]) is None
    assert origins(["v", "id"], [ID, column("v", untouched=True)]) is None

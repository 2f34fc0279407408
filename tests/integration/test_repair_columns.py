"""Columns that were dropped, added again, or renamed into the place of another one."""

from typing import Any

from objects import fixtures_of, objects

from healthd.model.snapshots import Snapshot
from integration.test_repair_drifts import repaired

SCHEMA = """
    CREATE TABLE person (id integer PRIMARY KEY, name text, street text, city text, alias text);
    CREATE TABLE bill (id integer, total integer GENERATED ALWAYS AS (price * 2) STORED, price integer, note text);
"""
database, expected = fixtures_of(SCHEMA)


async def test_columns_are_added_in_their_expected_order(database: str, expected: Snapshot, sql: Any) -> None:
    sql(database, "ALTER TABLE person DROP street, DROP city, DROP alias")

    script, failure, left = await repaired(database, expected)

    assert ("", []) == (failure, left)
    assert expected.objects == (await objects(database)).objects
    assert not any("becomes" in note for one in script for note in one.notes)


async def test_a_column_that_is_computed_from_another_one_is_added_after_it(
    database: str, expected: Snapshot, sql: Any
) -> None:
    sql(database, "ALTER TABLE bill DROP total, DROP price, DROP note")

    script, failure, left = await repaired(database, expected)

    assert ("", []) == (failure, left)
    assert ["price", "total", "note"] == [one.key.path[2] for one in script if one.key is not None]
    (note,) = (note for one in script for note in one.notes if "SELECT *" in note)
    assert note.startswith("public.bill.total gets its place behind public.bill.price: ")

"""A question is asked under the names that objects have before the script restores the expected ones."""

from evidence import snapshot

from healthd.catalog import KINDS
from healthd.catalog.columns import Column
from healthd.catalog.tables import Table
from healthd.model.names import Key
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, SWAPPED, Difference
from healthd.repair.dependencies import Dependencies
from healthd.repair.present_names import present

COLUMN = Column("integer", False, None, "none", "none", None)
OBJECTS = {
    "table:app.orders": Table(False, None, (), None, "off"),
    "column:app.orders.id": COLUMN,
    "column:app.orders.my note": COLUMN,
    "table:app.part": Table(False, None, ("app.orders",), None, "off"),
    "column:app.part.id": COLUMN,
}
ALL = "SELECT FROM app.orders"


def asked(query: str, *names: tuple[str, str, object, object]) -> str:
    found = [Difference(Key.parse(key), attribute, *sides) for key, attribute, *sides in names]
    return present(Dependencies(snapshot(OBJECTS), KINDS), found)(query)


def test_a_question_without_renamed_objects_stays_as_it_is() -> None:
    assert ALL == asked(ALL)
    assert ALL == asked(ALL, ("table:app.others", NAME_OF, "others", "strangers"))


def test_a_table_has_its_present_name_and_schema() -> None:
    assert "SELECT FROM app.bills" == asked(ALL, ("table:app.orders", NAME_OF, "orders", "bills"))
    assert "SELECT FROM aside.orders AS r" == asked(f"{ALL} AS r", ("table:app.orders", SCHEMA_OF, "app", "aside"))
    assert 'SELECT FROM aside."My Bills"' == asked(
        ALL, ("table:app.orders", PLACE_OF, "app.orders", 'aside."My Bills"')
    )
    assert "SELECT FROM web.bills" == asked(
        ALL, ("schema:app", NAME_OF, "app", "web"), ("table:app.orders", NAME_OF, "orders", "bills")
    )


def test_columns_have_their_present_names() -> None:
    renamed = ("column:app.orders.id", NAME_OF, "id", "number")

    assert 'SELECT FROM (SELECT t.number AS id, t."my note" AS "my note" FROM app.orders AS t) AS orders' == asked(
        ALL, renamed
    )
    assert "SELECT FROM (SELECT t.number AS id FROM app.part AS t) AS o" == asked("SELECT FROM app.part AS o", renamed)
    assert 'SELECT FROM (SELECT t."my note" AS id, t.id AS "my note" FROM app.orders AS t) AS orders' == asked(
        ALL, ("table:app.orders", SWAPPED, ("id", "my note"), ("my note", "id"))
    )


def test_types_and_functions_have_their_present_names_but_not_strings() -> None:
    query = "SELECT FROM app.part WHERE id::app.status IS DISTINCT FROM app.f('app.status')"

    assert "SELECT FROM app.part WHERE id::aside.status IS DISTINCT FROM app.g('app.status')" == asked(
        query, ("enum:app.status", SCHEMA_OF, "app", "aside"), ("function:app.f(text)", NAME_OF, "f", "g")
    )

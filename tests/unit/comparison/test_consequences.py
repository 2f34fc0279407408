"""Consequences are reported with their cause."""

from dataclasses import replace
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.columns import Column
from healthd.catalog.constraints import Constraint
from healthd.catalog.enums import Enum
from healthd.catalog.functions import Function
from healthd.catalog.grants import Grant
from healthd.catalog.schemas import Schema
from healthd.catalog.tables import Table
from healthd.catalog.triggers import Trigger
from healthd.catalog.views import View
from healthd.comparison.causes import causes
from healthd.comparison.consequences import consequences
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot, diff

TABLE = Table(False, None, (), None, "off")
ID = Column("bigint", True, None, "none", "none", None)
STATE = Column("app.state", True, "'new'::app.state", "none", "none", None)


def snapshot(objects: dict[str, Any]) -> Snapshot:
    return Snapshot(180000, {Key.parse(name): record for name, record in ({"schema:app": Schema()} | objects).items()})


def reported(expected: dict[str, Any], actual: dict[str, Any]) -> dict[str, list[str]]:
    """Return the reported differences, with their consequences."""
    one = snapshot(expected)
    every = diff(one, snapshot(actual))
    kept = causes(every, KINDS)
    found = consequences(every, kept, one, KINDS)
    follow = {(two.key, two.attribute) for rows in found.values() for two in rows}
    return {
        str(two.key): [str(row.key) for row in found.get((two.key, two.attribute), ())]
        for two in kept
        if (two.key, two.attribute) not in follow
    }


def without(objects: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: record for name, record in objects.items() if name not in names}


GIVEN: dict[str, Any] = {
    "enum:app.state": Enum(("new", "sent")),
    "table:app.orders": TABLE,
    "column:app.orders.id": ID,
    "column:app.orders.state": STATE,
    "function:app.touch()": Function("function", "", "trigger", "plpgsql", "BEGIN RETURN NEW; END"),
    "trigger:app.orders.touch": Trigger("CREATE TRIGGER touch … EXECUTE FUNCTION app.touch()", "origin"),
    "view:app.a": View(False, " SELECT o.state\n   FROM app.orders o;", ()),
    "view:app.b": View(False, " SELECT a.state\n   FROM app.a;", ()),
    "grant:view.app.b.reader": Grant(("SELECT",)),
}


def test_dependents_of_a_missing_type_follow_from_it_in_creation_order() -> None:
    lost = without(
        GIVEN, "enum:app.state", "column:app.orders.state", "view:app.a", "view:app.b", "grant:view.app.b.reader"
    )

    assert {
        "enum:app.state": ["column:app.orders.state", "view:app.a", "view:app.b", "grant:view.app.b.reader"]
    } == reported(GIVEN, lost)


def test_a_trigger_follows_from_its_function_and_from_no_other() -> None:
    more = GIVEN | {"function:app.orders()": Function("function", "", "integer", "sql", "SELECT 1")}

    assert {"function:app.touch()": ["trigger:app.orders.touch"]} == reported(
        GIVEN, without(GIVEN, "function:app.touch()", "trigger:app.orders.touch")
    )
    assert {"column:app.orders.id": [], "function:app.touch()": []} == reported(
        more, without(more, "function:app.touch()", "column:app.orders.id")
    )


def test_a_view_that_mentions_nothing_missing_is_a_cause() -> None:
    assert {
        "view:app.b": ["grant:view.app.b.reader"],
        "function:app.touch()": ["trigger:app.orders.touch"],
    } == reported(
        GIVEN,
        without(GIVEN, "view:app.b", "grant:view.app.b.reader", "function:app.touch()", "trigger:app.orders.touch"),
    )


def test_a_different_default_is_a_cause() -> None:
    given = GIVEN | {"column:app.orders.id": Column("bigint", True, "app.touch()", "none", "none", None)}
    gone = without(given, "function:app.touch()", "trigger:app.orders.touch")
    none = Column("bigint", True, None, "none", "none", None)
    seven = Column("bigint", True, "7", "none", "none", None)

    assert ["function:app.touch()"] == list(reported(given, gone | {"column:app.orders.id": none}))
    assert ["column:app.orders.id", "function:app.touch()"] == list(
        reported(given, gone | {"column:app.orders.id": seven})
    )


def test_a_check_that_differs_in_casts_follows_from_the_type_of_its_column() -> None:
    given = GIVEN | {
        "column:app.orders.id": Column("character varying(50)", True, None, "none", "none", None),
        "constraint:app.orders.c": Constraint("table", "check", True, "CHECK (((id)::text <> 'x'::text))"),
    }
    text = Column("text", True, None, "none", "none", None)

    def check(definition: str) -> dict[str, Any]:
        return {
            "column:app.orders.id": text,
            "constraint:app.orders.c": Constraint("table", "check", True, definition),
        }

    assert ["column:app.orders.id"] == list(reported(given, given | check("CHECK ((id <> 'x'::text))")))
    assert ["column:app.orders.id", "constraint:app.orders.c"] == list(
        reported(given, given | check("CHECK ((id <> 'y'::text))"))
    )


def test_two_objects_that_mention_each_other_are_one_cause() -> None:
    given = {
        "view:app.a": View(False, "SELECT 1 FROM app.b;", ()),
        "view:app.b": View(False, "SELECT 1 FROM app.a;", ()),
    }

    assert 1 == len(reported(given, {}))


def test_many_layers_of_views_are_one_cause() -> None:
    given: dict[str, Any] = {"table:app.orders": TABLE, "view:app.v0": View(False, "SELECT 1 FROM app.orders;", ())}
    for number in range(1, 60):
        text = " ".join(f"SELECT 1 FROM app.v{below}" for below in range(number))
        given[f"view:app.v{number}"] = View(False, text, ())

    found = reported(given, {})

    assert ["table:app.orders"] == list(found)
    assert [f"view:app.v{number}" for number in range(60)] == found["table:app.orders"]


def test_a_role_that_lost_all_privileges_is_one_cause_and_one_that_lost_some_is_not() -> None:
    held = {"grant:table.app.orders.a": Grant(("SELECT",)), "grant:schema.app.a": Grant(("USAGE",))}
    other = {"grant:table.app.orders.b": Grant(("SELECT",)), "grant:schema.app.b": Grant(("USAGE",))}
    given = GIVEN | held | other

    assert {"grant:schema.app.a": ["grant:table.app.orders.a"], "grant:table.app.orders.b": []} == reported(
        given, without(given, *held, "grant:table.app.orders.b")
    )


def test_another_access_method_follows_from_whether_a_table_is_partitioned() -> None:
    divided = replace(TABLE, partitioned_by="RANGE (id)")

    found = reported({"table:app.orders": replace(TABLE, access_method="heap")}, {"table:app.orders": divided})

    assert {"table:app.orders": ["table:app.orders"]} == found

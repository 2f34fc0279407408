"""A rename is one difference if it is unambiguous, and texts that mention the new name are not reported."""

from typing import Any

import pytest

from healthd.catalog import KINDS
from healthd.catalog.columns import Column
from healthd.catalog.enums import Enum
from healthd.catalog.functions import Function
from healthd.catalog.schemas import Schema
from healthd.catalog.tables import Table
from healthd.catalog.views import View
from healthd.comparison.renames import aligned, repair
from healthd.model.names import Key
from healthd.model.snapshots import NAME_OF, Difference, Snapshot, diff

COLUMN = Column("text", False, None, "none", "none", None)


def table(*columns: str, **more: Any) -> Table:
    return Table(False, None, (), None, "off", column_order=", ".join(columns), **more)


def snapshot(objects: dict[str, Any]) -> Snapshot:
    return Snapshot(180000, {Key("schema", ("app",)): Schema()} | {Key.parse(one): rec for one, rec in objects.items()})


def reported(expected: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    one, other = snapshot(expected), snapshot(actual)
    there, renamed = aligned(one, other, KINDS)
    return [
        f"{two.key} {two.attribute} {two.actual}" if two.attribute else f"{two.key} {'-' if two.missing else '+'}"
        for two in (*renamed, *diff(one, there))
    ]


ORDERS = {"table:app.orders": table("id", "note"), "column:app.orders.id": COLUMN, "column:app.orders.note": COLUMN}


def renamed(objects: dict[str, Any], **names: str) -> dict[str, Any]:
    for old, new in names.items():
        objects = {one.replace(f".{old}", f".{new}"): record for one, record in objects.items()}
    return objects


def test_a_table_with_equal_columns_was_renamed() -> None:
    assert ["table:app.orders name sales"] == reported(ORDERS, renamed(ORDERS, orders="sales"))


def test_a_table_with_other_columns_is_another_table() -> None:
    other = {"table:app.sales": table("id"), "column:app.sales.id": COLUMN}

    assert 5 == len(reported(ORDERS, other))
    assert not any(NAME_OF in one for one in reported(ORDERS, other))


def test_with_two_candidates_both_are_unexpected() -> None:
    found = reported({"enum:app.state": Enum(("a",))}, {"enum:app.one": Enum(("a",)), "enum:app.two": Enum(("a",))})

    assert ["enum:app.one +", "enum:app.state -", "enum:app.two +"] == found


def test_a_candidate_for_two_missing_objects_is_not_a_rename() -> None:
    found = reported({"enum:app.one": Enum(("a",)), "enum:app.two": Enum(("a",))}, {"enum:app.state": Enum(("a",))})

    assert ["enum:app.one -", "enum:app.state +", "enum:app.two -"] == found


def test_several_renames_are_found_by_comparing_the_objects() -> None:
    found = reported(
        {"enum:app.one": Enum(("a",)), "enum:app.two": Enum(("b",))},
        {"enum:app.eins": Enum(("a",)), "enum:app.zwei": Enum(("b",))},
    )

    assert ["enum:app.one name eins", "enum:app.two name zwei"] == found


def test_a_renamed_column_keeps_its_position() -> None:
    moved = {"table:app.orders": table("id", "more", "remark")} | {
        f"column:app.orders.{one}": COLUMN for one in ("id", "more", "remark")
    }
    there = {"table:app.orders": table("id", "remark", "more")} | {
        f"column:app.orders.{one}": COLUMN for one in ("id", "remark", "more")
    }

    assert ["column:app.orders.note name more"] == reported(ORDERS, moved)[:1]
    assert ["column:app.orders.note name remark"] == reported(ORDERS, there)[:1]


def test_a_column_of_another_type_is_another_column() -> None:
    there = ORDERS | {"table:app.orders": table("id", "remark"), "column:app.orders.remark": KEY}
    del there["column:app.orders.note"]

    assert not any(f" {NAME_OF} " in one for one in reported(ORDERS, there))


KEY = Column("bigint", True, None, "none", "none", None)


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("SELECT note FROM app.orders;", "SELECT remark AS note FROM app.orders;", True),
        ("SELECT o.note FROM app.orders o;", "SELECT o.remark AS note FROM app.orders o;", True),
        ("SELECT note AS remark FROM app.orders;", "SELECT remark FROM app.orders;", True),
        ("SELECT note FROM app.orders;", "SELECT remark FROM app.orders WHERE true;", False),
        ("SELECT note FROM app.orders;", "SELECT other FROM app.orders;", False),
        ("SELECT (note <> 'remark');", "SELECT (remark <> 'remark');", True),
    ],
)
def test_a_text_that_mentions_a_new_name_is_the_same(expected: str, actual: str, *, same: bool) -> None:
    view = {"view:app.notes": View(False, expected, ())}
    there = {"table:app.orders": table("id", "remark"), "view:app.notes": View(False, actual, ())}
    there |= {"column:app.orders.id": COLUMN, "column:app.orders.remark": COLUMN}
    found = reported(ORDERS | view, there)

    assert same == (not any("view:" in one for one in found))


def test_a_body_does_not_follow_a_rename() -> None:
    def function(body: str) -> Function:
        return Function("function", "", "text", "sql", body)

    there = renamed(ORDERS, orders="sales") | {"function:app.f()": function("SELECT note FROM app.sales")}

    assert ["table:app.orders name sales", "function:app.f() body SELECT note FROM app.sales"] == reported(
        ORDERS | {"function:app.f()": function("SELECT note FROM app.orders")}, there
    )


def test_the_arguments_of_a_routine_follow_the_name_of_a_type() -> None:
    one = Function("function", "app.state, app.states", "text", "sql", "SELECT 1")
    other = Function("function", "app.condition, app.states", "text", "sql", "SELECT 1")
    states = {"enum:app.states": Enum(("b",))}

    assert ["enum:app.state name condition"] == reported(
        states | {"enum:app.state": Enum(("a",)), "function:app.f(app.state, app.states)": one},
        states | {"enum:app.condition": Enum(("a",)), "function:app.f(app.condition, app.states)": other},
    )


def test_without_renames_the_snapshot_is_unchanged() -> None:
    one, other = snapshot(ORDERS), snapshot({})

    assert aligned(one, other, KINDS) == (other, ())
    assert aligned(one, one, KINDS)[0] is one


@pytest.mark.parametrize(
    ("key", "record", "statement"),
    [
        ("table:app.orders", None, "ALTER TABLE app.now RENAME TO orders;"),
        ("column:app.orders.note", None, "ALTER TABLE app.orders RENAME COLUMN now TO note;"),
        ("schema:app", None, "ALTER SCHEMA now RENAME TO app;"),
        ("function:app.f(integer)", None, "ALTER ROUTINE app.now(integer) RENAME TO f;"),
        ("view:app.v", View(True, "", ()), "ALTER MATERIALIZED VIEW app.now RENAME TO v;"),
        ("operator_class:app.ops.btree", None, "ALTER OPERATOR CLASS app.now USING btree RENAME TO ops;"),
    ],
)
def test_the_repair_restores_the_name(key: str, record: Any, statement: str) -> None:
    one = Key.parse(key)
    name = one.path[1] if one.kind in ("function", "operator_class") else one.path[-1]

    assert statement == repair(Difference(one, NAME_OF, name, "now"), record)

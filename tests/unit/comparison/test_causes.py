"""One cause, one finding."""

from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.columns import Column
from healthd.catalog.constraints import Constraint
from healthd.catalog.indexes import Index
from healthd.catalog.schemas import Schema
from healthd.catalog.sequences import Sequence
from healthd.catalog.tables import Table
from healthd.catalog.triggers import Trigger
from healthd.catalog.views import View
from healthd.comparison.causes import causes
from healthd.model.names import Key
from healthd.model.snapshots import UNREADABLE, Difference

COLUMN = Column("text", False, None, "none", "none", None)
TABLE = Table(False, None, (), None, "off")
SEQUENCE = Sequence("bigint", 1, 1, 1, 2**63 - 1, False, 1, "app.orders.id", True)


def lost(text: str, record: Any) -> Difference:
    return Difference(Key.parse(text), None, record, None)


def found(text: str, record: Any) -> Difference:
    return Difference(Key.parse(text), None, None, record)


def changed(text: str, attribute: str, expected: Any, actual: Any) -> Difference:
    return Difference(Key.parse(text), attribute, expected, actual)


def reported(*differences: Difference) -> list[str]:
    return [str(one.key) for one in causes(differences, KINDS)]


def test_the_objects_of_a_missing_schema_follow_from_it() -> None:
    assert ["schema:app"] == reported(
        lost("schema:app", Schema()),
        lost("table:app.orders", TABLE),
        lost("column:app.orders.id", COLUMN),
        lost("constraint:app.orders.orders_pkey", Constraint("table", "primary key", True, "PRIMARY KEY (id)")),
        lost("index:app.orders.orders_idx", Index(False, True, "CREATE INDEX")),
        lost("sequence:app.orders_id_seq", SEQUENCE),
        lost("trigger:app.orders.touch", Trigger("CREATE TRIGGER", "origin")),
    )


def test_the_objects_of_a_new_table_follow_from_it() -> None:
    assert ["table:app.orders"] == reported(found("table:app.orders", TABLE), found("column:app.orders.id", COLUMN))


def test_a_column_is_reported_if_its_table_exists() -> None:
    assert ["column:app.orders.id"] == reported(lost("column:app.orders.id", COLUMN))


def test_a_missing_object_does_not_explain_a_new_one() -> None:
    table, column = lost("table:app.orders", TABLE), found("column:app.orders.id", COLUMN)

    assert ["table:app.orders", "column:app.orders.id"] == reported(table, column)


def test_a_change_of_a_table_explains_nothing() -> None:
    assert ["table:app.orders", "column:app.orders.id"] == reported(
        changed("table:app.orders", "row_security", "enabled", "off"), lost("column:app.orders.id", COLUMN)
    )


def test_the_sequence_of_a_missing_column_follows_from_it() -> None:
    assert ["column:app.orders.id"] == reported(
        lost("column:app.orders.id", COLUMN), lost("sequence:app.orders_id_seq", SEQUENCE)
    )


def test_indexes_and_triggers_follow_from_their_view() -> None:
    assert ["view:app.totals"] == reported(
        lost("view:app.totals", View(True, "SELECT 1;", ())),
        lost("index:app.totals.totals_idx", Index(True, True, "CREATE UNIQUE INDEX")),
        lost("trigger:app.totals.totals_insert", Trigger("CREATE TRIGGER", "origin")),
    )


def test_a_check_follows_from_its_domain() -> None:
    check = Constraint("domain", "check", True, "CHECK (VALUE > 0)")

    assert ["constraint:app.size.size_check"] == reported(lost("constraint:app.size.size_check", check))
    assert [] == reported(lost("constraint:app.size.size_check", check), lost("domain:app.size", COLUMN))[1:]


RENAMED = changed("enum:app.status", "labels", ("new", "sent"), ("NEW", "sent"))


def test_texts_that_differ_by_a_renamed_label_are_not_reported() -> None:
    assert ["enum:app.status"] == reported(
        RENAMED,
        changed("column:app.orders.status", "default", "'new'::app.status", "'NEW'::app.status"),
        changed("view:app.open", "definition", "WHERE (s = 'new'::app.status);", "WHERE (s = 'NEW'::app.status);"),
    )


def test_a_text_that_differs_in_more_than_the_label_is_reported() -> None:
    assert ["enum:app.status", "column:app.orders.status", "column:app.orders.old"] == reported(
        RENAMED,
        changed("column:app.orders.status", "default", "'new'::app.status", "'sent'::app.status"),
        changed("column:app.orders.old", "default", "'new'::app.state", "'NEW'::app.state"),
    )


def test_a_missing_default_is_reported_in_addition_to_a_renamed_label() -> None:
    assert ["enum:app.status", "column:app.orders.status", "column:app.orders.other"] == reported(
        RENAMED,
        changed("column:app.orders.status", "default", "'new'::app.status", None),
        changed("column:app.orders.other", "default", None, "'NEW'::app.status"),
    )


def test_a_missing_label_explains_no_text() -> None:
    assert 2 == len(
        reported(
            changed("enum:app.status", "labels", ("new", "sent"), ("sent",)),
            changed("column:app.orders.status", "default", "'new'::app.status", "'sent'::app.status"),
        )
    )


def test_an_unreadable_kind_is_reported() -> None:
    blind = Difference(Key("view", ("*",)), UNREADABLE, None, "55P03: canceling statement due to lock timeout")

    assert ['view:"*"'] == reported(RENAMED, blind)[1:]


def test_without_differences_there_is_no_cause() -> None:
    assert () == causes((), KINDS)

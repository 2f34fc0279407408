"""The severity of a difference: CRITICAL if it can break or expose the application."""

from dataclasses import replace
from typing import Any

import pytest

from healthd.catalog import KINDS
from healthd.catalog.columns import Column
from healthd.catalog.indexes import Index
from healthd.model.attributes import attributes
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference

COLUMN = Column("text", False, None, "none", "none", None)


def severity(kind: str, attribute: str | None, expected: Any, actual: Any) -> Severity | None:
    return KINDS[kind].severity(Difference(Key(kind, ("a",) * KINDS[kind].depth), attribute, expected, actual))


# A new privilege or policy may expose data; comments are never an emergency.
LOSS = {"owner": Severity.WARNING, "statistics": Severity.WARNING, "comment": None}
GAIN = {
    **dict.fromkeys(("grant", "default_privileges", "policy", "detachment"), Severity.CRITICAL),
    "comment": None,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_object_is_critical_and_a_new_one_is_a_warning(kind: str) -> None:
    index, column = Index(True, True, ""), COLUMN
    record = {"index": index, "column": column}.get(kind, object())

    assert LOSS.get(kind, Severity.CRITICAL) == severity(kind, None, record, None)
    assert GAIN.get(kind, Severity.WARNING) == severity(kind, None, None, record)


def test_a_missing_index_is_a_warning_unless_it_is_unique() -> None:
    assert Severity.WARNING == severity("index", None, Index(False, True, ""), None)
    assert Severity.CRITICAL == severity("index", None, Index(True, True, ""), None)


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (COLUMN, Severity.WARNING),
        (replace(COLUMN, not_null=True), Severity.CRITICAL),
        (replace(COLUMN, not_null=True, default="''"), Severity.WARNING),
        (replace(COLUMN, not_null=True, identity="always"), Severity.WARNING),
        (replace(COLUMN, not_null=True, generated="stored"), Severity.WARNING),
    ],
)
def test_a_new_column_is_critical_if_every_insert_must_provide_it(column: Column, wanted: Severity) -> None:
    assert wanted == severity("column", None, None, column)


ALL = tuple("DELETE INSERT MAINTAIN REFERENCES SELECT TRIGGER TRUNCATE UPDATE".split())
SEVEN = tuple(one for one in ALL if one != "MAINTAIN")


@pytest.mark.parametrize(
    ("kind", "attribute", "expected", "actual", "wanted"),
    [
        ("grant", "privileges", ("ALL",), SEVEN, Severity.WARNING),
        ("grant", "privileges", ("ALL*",), tuple(f"{one}*" for one in SEVEN), Severity.WARNING),
        ("default_privileges", "privileges", ALL, SEVEN, Severity.WARNING),
        ("grant", "privileges", ("ALL*",), SEVEN, Severity.CRITICAL),
        ("grant", "privileges", ("ALL",), SEVEN[1:], Severity.CRITICAL),
        ("grant", "privileges", SEVEN, ("ALL",), Severity.CRITICAL),
        ("grant", "privileges", ("MAINTAIN", "SELECT"), ("SELECT",), Severity.CRITICAL),
        ("subscription", "options", ("streaming=parallel",), ("run_as_owner=true",), Severity.WARNING),
        ("subscription", "options", (), ("run_as_owner=true",), Severity.WARNING),
        ("subscription", "options", ("run_as_owner=true",), (), Severity.CRITICAL),
        ("subscription", "options", ("streaming=parallel",), ("streaming=true",), Severity.CRITICAL),
        ("subscription", "publications", ("a",), ("b",), Severity.CRITICAL),
        ("subscription", "slot", "a", "b", Severity.WARNING),
    ],
)
def test_differences_after_an_upgrade_of_the_server_are_a_warning(
    kind: str, attribute: str, expected: Any, actual: Any, wanted: Severity
) -> None:
    assert wanted == severity(kind, attribute, expected, actual)


def test_a_collation_without_a_version_mismatch_is_not_a_finding() -> None:
    assert Severity.CRITICAL == severity("collation", "version_current", True, False)
    assert severity("collation", "version_current", False, True) is None


def test_differences_in_performance_or_storage_are_a_warning() -> None:
    minor = {
        f"{kind.name}.{name}"
        for kind in KINDS.values()
        for name, one in attributes(kind.record).items()
        if one.severity is Severity.WARNING
    }

    assert {
        "aggregate.moving_state_size",
        "aggregate.state_size",
        "column.compression",
        "column.options",
        "column.statistics",
        "column.storage",
        "constraint.options",
        "constraint.replica_identity",
        "constraint.statistics",
        "constraint.tablespace",
        "extension.version",
        "function.cost",
        "function.rows",
        "function.support",
        "index.replica_identity",
        "index.statistics",
        "index.tablespace",
        "operator.join",
        "operator.restrict",
        "owner.role",
        "sequence.cache",
        "sequence.minimum",
        "sequence.owned_by",
        "sequence.start",
        "sequence.unlogged",
        "statistics.definition",
        "statistics.target",
        "subscription.slot",
        "table.access_method",
        "table.options",
        "table.tablespace",
        "view.access_method",
        "view.tablespace",
    } == minor


def test_deparsed_texts_are_known() -> None:
    printed = {
        f"{kind.name}.{name}"
        for kind in KINDS.values()
        for name, one in attributes(kind.record).items()
        if one.deparsed
    }

    assert {
        "aggregate.arguments",
        "base_type.default",
        "column.default",
        "constraint.definition",
        "domain.default",
        "foreign_table.bound",
        "function.arguments",
        "function.sql_body",
        "index.definition",
        "policy.using",
        "policy.with_check",
        "publication_table.where",
        "rule.definition",
        "statistics.definition",
        "table.bound",
        "table.partitioned_by",
        "trigger.definition",
        "view.definition",
    } == printed

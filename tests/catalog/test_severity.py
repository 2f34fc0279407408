"""How bad a difference is: CRITICAL where it can break or expose the application."""

from dataclasses import replace
from typing import Any

import pytest

from healthd.catalog import KINDS
from healthd.catalog.columns import Column
from healthd.catalog.indexes import Index
from healthd.model import Difference, Key, Severity, attributes

COLUMN = Column("text", False, None, "none", "none", None)


def severity(kind: str, attribute: str | None, expected: Any, actual: Any) -> Severity | None:
    return KINDS[kind].severity(Difference(Key(kind, ("a",) * KINDS[kind].depth), attribute, expected, actual))


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_is_critical_and_a_gain_is_a_warning(kind: str) -> None:
    index, column = Index(True, True, ""), COLUMN
    record = {"index": index, "column": column}.get(kind, object())

    assert Severity.CRITICAL == severity(kind, None, record, None)
    assert Severity.WARNING == severity(kind, None, None, record)


def test_a_lost_index_is_a_warning_unless_it_kept_duplicates_out() -> None:
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
def test_a_new_column_is_critical_when_every_insert_must_name_it(column: Column, wanted: Severity) -> None:
    assert wanted == severity("column", None, None, column)


def test_what_only_slows_or_moves_is_a_warning() -> None:
    minor = {
        f"{kind.name}.{name}"
        for kind in KINDS.values()
        for name, one in attributes(kind.record).items()
        if one.severity is Severity.WARNING
    }

    assert {"extension.version", "sequence.start", "sequence.minimum", "sequence.cache", "sequence.owned_by"} == minor


def test_texts_that_the_server_prints_are_known() -> None:
    printed = {
        f"{kind.name}.{name}"
        for kind in KINDS.values()
        for name, one in attributes(kind.record).items()
        if one.deparsed
    }

    assert {
        "domain.default",
        "table.partitioned_by",
        "table.bound",
        "column.default",
        "function.definition",
        "constraint.definition",
        "index.definition",
        "view.definition",
        "trigger.definition",
    } == printed

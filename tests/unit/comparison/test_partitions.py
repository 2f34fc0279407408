"""Partitions are compared with the definition of their parent."""

from typing import Any

from healthd.catalog.columns import Column
from healthd.catalog.default_privileges import DefaultPrivileges
from healthd.catalog.grants import Grant
from healthd.catalog.tables import Table
from healthd.catalog.triggers import Trigger
from healthd.comparison.partitions import with_partitions
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot, diff

PARENT = Table(False, "RANGE (at)", (), None, "off")
PARTITION = Table(False, None, ("app.readings",), "FOR VALUES FROM (1) TO (2)", "off", access_method="heap")
COLUMN = Column("bigint", True, "0", "none", "none", None)


def snapshot(**objects: Any) -> Snapshot:
    return Snapshot(180000, {Key.parse(name): record for name, record in objects.items()})


GIVEN = {"table:app.readings": PARENT, "column:app.readings.id": COLUMN}
LISTED = GIVEN | {"table:app.old": PARTITION, "column:app.old.id": COLUMN}


def reported(expected: dict[str, Any], actual: dict[str, Any], **rules: str) -> list[tuple[str, str | None]]:
    words = {Key.parse(name): word for name, word in rules.items()}
    return [
        (str(one.key), one.attribute) for one in diff(*with_partitions(snapshot(**expected), snapshot(**actual), words))
    ]


def new(column: Any = COLUMN, table: Any = PARTITION) -> dict[str, Any]:
    return GIVEN | {"table:app.new": table, "column:app.new.id": column}


def test_an_additional_partition_that_matches_is_not_reported() -> None:
    assert [] == reported(GIVEN, new())


def test_an_additional_partition_that_does_not_match_is_reported() -> None:
    loose = Column("bigint", False, "0", "none", "none", None)

    assert [("column:app.new.id", "not_null")] == reported(GIVEN, new(loose))


def test_a_default_may_be_absent_but_not_different() -> None:
    assert [] == reported(GIVEN, new(Column("bigint", True, None, "none", "none", None)))
    assert [("column:app.new.id", "default")] == reported(GIVEN, new(Column("bigint", True, "7", "none", "none", None)))


def test_a_missing_expected_partition_is_reported() -> None:
    assert [("column:app.old.id", None), ("table:app.old", None)] == reported(LISTED, GIVEN)


def test_managed_partitions_may_be_added_and_removed() -> None:
    rules = {"table:app.readings": "managed"}
    unlogged = Table(True, None, ("app.readings",), "FOR VALUES FROM (1) TO (2)", "off", access_method="heap")

    assert [] == reported(LISTED, new(), **rules)
    assert [("table:app.new", "unlogged")] == reported(LISTED, new(table=unlogged), **rules)


def test_a_detached_partition_of_a_managed_table_is_an_unexpected_table() -> None:
    detached = {"table:app.old": Table(False, None, (), None, "off"), "column:app.old.id": COLUMN}

    found = diff(
        *with_partitions(
            snapshot(**LISTED), snapshot(**GIVEN, **detached), {Key.parse("table:app.readings"): "managed"}
        )
    )

    assert all(one.unexpected for one in found)
    assert {"table:app.old", "column:app.old.id"} == {str(one.key) for one in found}


def test_ignored_partitions_and_those_below_them_are_not_reported() -> None:
    below = Table(True, None, ("app.new",), "FOR VALUES WITH (1, 0)", "off")
    parts = Table(False, "HASH (id)", ("app.readings",), "FOR VALUES FROM (1) TO (2)", "off")
    off = Trigger("CREATE TRIGGER touch", "origin", partitions=("app.old disabled",))
    on = Trigger("CREATE TRIGGER touch", "origin", partitions=("app.below disabled",))
    actual = new(table=parts) | {"table:app.below": below, "trigger:app.readings.touch": on}

    rules = {"table:app.readings": "ignore"}
    assert [] == reported(LISTED | {"trigger:app.readings.touch": off}, actual, **rules)


def test_the_nearest_rule_applies() -> None:
    parts = Table(False, "HASH (id)", ("app.readings",), "FOR VALUES FROM (1) TO (2)", "off")
    below = Table(False, None, ("app.old",), "FOR VALUES WITH (1, 0)", "off")
    expected = GIVEN | {"table:app.old": parts, "table:app.below": below}
    rules = {"table:app.readings": "ignore", "table:app.old": "conform"}

    assert [("table:app.below", None)] == reported(expected, GIVEN | {"table:app.old": parts}, **rules)


def test_partitions_of_an_unexpected_table_are_reported() -> None:
    assert [("table:app.new", None), ("table:app.readings", None)] == reported(
        {}, {"table:app.readings": PARENT, "table:app.new": PARTITION}
    )


def test_a_role_may_hold_privileges_of_the_parent_or_default_privileges() -> None:
    parents = GIVEN | {"grant:table.app.readings.app": Grant(("INSERT", "SELECT"))}
    less = new() | {"grant:table.app.readings.app": Grant(("INSERT", "SELECT"))}
    default = {'default_privileges:"(migrator)".tables.app.reader': DefaultPrivileges(("SELECT",))}

    assert [] == reported(parents, less | {"grant:table.app.new.app": Grant(("SELECT",))})
    assert [("grant:table.app.new.app", None)] == reported(
        parents, less | {"grant:table.app.new.app": Grant(("DELETE", "SELECT"))}
    )
    assert [] == reported(GIVEN | default, new() | default | {"grant:table.app.new.reader": Grant(("SELECT",))})


def test_without_partitions_both_sides_are_unchanged() -> None:
    one, other = snapshot(**GIVEN), snapshot()

    assert (one, other) == with_partitions(one, other, {})

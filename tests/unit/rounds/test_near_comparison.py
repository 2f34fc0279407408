"""The comparison near what differs is that of all objects, or there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from healthd.catalog import KINDS
from healthd.comparison.near_objects import NearObjects
from healthd.config.settings import Target
from healthd.database.ledger import Ledger
from healthd.database.snapshot.transaction import Reading
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_lines import load
from healthd.expected.places import Places
from healthd.model.ledger import Applied
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot
from healthd.rounds import evidence
from healthd.rounds.near_comparison import MOST, near_comparison
from healthd.rounds.sides import Promise

LOCK = Path(__file__).parents[3] / "sql" / "schema.lock"
TARGET = Target("machines", "")
TABLE, NOTES, NAME = (
    Key.parse(f"{one}")
    for one in ("table:public.machines", "column:public.machines.notes", "column:public.machines.name")
)
INDEX = Key.parse("index:public.machines.machines_serial_number_customer_organization_id_idx")
EXTRA, MORE = Key.parse("column:public.machines.extra"), Key.parse("index:public.machines.more")

Deviations = Mapping[Key, Any]


@pytest.fixture(scope="module")
def lock() -> LockFile:
    return load(LOCK.read_bytes(), str(LOCK))


def reading_of(lock: LockFile, deviations: Deviations) -> Reading:
    """Return a reading of everything, in which these objects differ."""
    objects = {**lock.expected().objects, **deviations}
    there = {key: one for key, one in objects.items() if one is not None}
    ledger = Ledger(tuple(Applied(one.id, None, None, None) for one in lock.migrations), ("public",), owner="app")
    return Reading(Snapshot(lock.server_version + 4, there), ledger)


def near(lock: LockFile, deviations: Deviations, target: Target = TARGET, **more: Any) -> Any:
    """Return the comparison near these objects."""
    reading = replace(reading_of(lock, deviations), deviations=deviations, **more)
    return near_comparison(target, Promise(lock, reading), reading, Places(lock))


def record(lock: LockFile, key: Key) -> Any:
    return lock.expected().objects[key]


def with_extra(lock: LockFile) -> Deviations:
    table = record(lock, TABLE)
    return {TABLE: replace(table, column_order=f"{table.column_order}, extra"), EXTRA: record(lock, NOTES)}


def cases(lock: LockFile) -> Mapping[str, Deviations]:
    """Return what may differ, by its name."""
    return {
        "a column is new": with_extra(lock),
        "an index is missing": {INDEX: None},
        "a column allows NULL": {NAME: replace(record(lock, NAME), not_null=False)},
        "a privilege is new": {Key.parse("grant:table.public.machines.reader"): KINDS["grant"].record(("SELECT",))},
        "an owner is another one": {Key.parse("owner:table.public.machines"): KINDS["owner"].record("other")},
        "a table is missing with all of it": {
            key: None for key in lock.expected().objects if key.path[:2] == TABLE.path and key.kind != "enum"
        },
    }


@pytest.mark.parametrize("name", cases(load(LOCK.read_bytes(), str(LOCK))))
def test_it_is_the_comparison_of_all_objects(lock: LockFile, name: str) -> None:
    deviations = cases(lock)[name]
    reading = reading_of(lock, deviations)
    whole, found = evidence._compared(TARGET, Promise(lock, reading), reading), near(lock, deviations)

    assert found is not None
    assert found.differences == whole.differences
    assert found.allowed == whole.allowed
    for side in ("expected", "actual", "aligned"):
        assert isinstance(getattr(found, side).objects, NearObjects)
        assert dict(getattr(found, side).objects) == dict(getattr(whole, side).objects)


def test_there_is_none_where_something_may_have_been_renamed(lock: LockFile) -> None:
    assert near(lock, {INDEX: None, MORE: record(lock, INDEX)}) is None


def test_there_is_none_where_columns_have_another_order(lock: LockFile) -> None:
    table = record(lock, TABLE)
    first, second, *others = table.column_order.split(", ")
    order = ", ".join((second, first, *others))

    assert near(lock, {TABLE: replace(table, column_order=order)}) is None


def test_there_is_none_where_a_table_has_a_parent(lock: LockFile) -> None:
    assert near(lock, {TABLE: replace(record(lock, TABLE), inherits=("public.parent",))}) is None


def test_there_is_none_where_more_is_known_or_asked(lock: LockFile) -> None:
    assert near(lock, {}) is None
    assert near(lock, {INDEX: None}, touched={TABLE: ()}) is None
    assert near(lock, {INDEX: None}, replace(TARGET, partitions={TABLE: "managed"})) is None


def test_there_is_none_where_much_differs(lock: LockFile) -> None:
    indexes = {Key("index", ("public", "machines", f"i{number}")): record(lock, INDEX) for number in range(MOST + 1)}

    assert near(lock, indexes) is None

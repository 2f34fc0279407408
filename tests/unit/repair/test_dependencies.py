"""What needs what: an object with a new name is needed by new and changed objects only."""

from collections.abc import Mapping
from typing import Any

import pytest

from healthd.catalog import KINDS
from healthd.catalog.columns import Column
from healthd.catalog.schemas import Schema
from healthd.catalog.tables import Table
from healthd.catalog.views import View
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot
from healthd.repair.dependencies import Dependencies

PLAIN = Column("integer", False, None, "none", "none", None)


def table(name: str) -> Mapping[Key, Any]:
    return {
        Key("table", ("public", name)): Table(False, None, (), None, "off", column_order="id"),
        Key("column", ("public", name, "id")): PLAIN,
    }


def view(name: str, of: str, column: str = "id") -> Mapping[Key, Any]:
    return {Key("view", ("public", name)): View(False, f" SELECT {of}.{column}\n   FROM public.{of};", ())}


EXPECTED = {Key("schema", ("public",)): Schema(), **table("t"), **view("v", "t"), **view("same", "t")}
EXTRA = Key("column", ("public", "t", "extra"))
ACTUAL = {
    **EXPECTED,
    **table("more"),
    **view("v", "more"),
    **view("new", "more"),
    EXTRA: PLAIN,
    **view("wide", "t", "extra"),
}


def test_dependents_are_the_same_with_and_without_the_other_side() -> None:
    alone = Dependencies(Snapshot(180000, ACTUAL), KINDS)
    with_expected = Dependencies(Snapshot(180000, ACTUAL), KINDS, Snapshot(180000, EXPECTED))

    assert [Key("view", ("public", "v")), Key("view", ("public", "new"))] == [
        one for one in with_expected.dependents(Key("table", ("public", "more"))) if one.kind == "view"
    ]
    assert (Key("view", ("public", "wide")),) == with_expected.dependents(EXTRA)
    for key in ACTUAL:
        assert set(alone.dependents(key)) == set(with_expected.dependents(key)), key
        assert set(alone.parts(key)) == set(with_expected.parts(key)), key


@pytest.mark.parametrize(("new", "by"), [(Key("table", ("public", "more")), "new"), (EXTRA, "wide")])
def test_the_texts_of_what_is_the_same_are_not_read_for_a_new_name(new: Key, by: str, monkeypatch: Any) -> None:
    asked: list[Key] = []
    whole = Dependencies.mentioned

    def mentioned(self: Dependencies, key: Key) -> Any:
        asked.append(key)
        return whole(self, key)

    monkeypatch.setattr(Dependencies, "mentioned", mentioned)

    Dependencies(Snapshot(180000, ACTUAL), KINDS, Snapshot(180000, EXPECTED)).dependents(new)

    assert Key("view", ("public", by)) in asked
    assert Key("view", ("public", "same")) not in asked

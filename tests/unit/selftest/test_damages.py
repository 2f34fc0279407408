"""What a selftest does to a schema, and which findings are about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from healthd.catalog.columns import Column
from healthd.catalog.comments import Comment
from healthd.catalog.enums import Enum
from healthd.catalog.tables import Table
from healthd.catalog.views import View
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot
from healthd.selftest.damages import Damage, answers, damages

TABLE, NAME, STATE = Key("table", ("s", "t")), Key("column", ("s", "t", "name")), Key("enum", ("s", "state"))
VIEW = Key("view", ("s", "v"))
WHOLE = Snapshot(
    180000,
    {
        TABLE: Table(unlogged=False, partitioned_by=None, inherits=(), bound=None, row_security="off"),
        NAME: Column("text", not_null=True, default="'x'::text", identity="none", generated="none", collation=None),
        STATE: Enum(("new", "old")),
    },
)


def of(snapshot: Snapshot, *, each: int = 9) -> dict[tuple[Key, str], Damage]:
    return {(one.key, one.words): one for one in damages(snapshot, migrator="me", each=each)}


def test_each_object_is_dropped_changed_and_opened() -> None:
    found = of(WHOLE)

    assert {
        (NAME, "it was dropped"): ("ALTER TABLE s.t DROP COLUMN name;",),
        (NAME, "it accepts NULL"): ("ALTER TABLE s.t ALTER COLUMN name DROP NOT NULL;",),
        (NAME, "its default is gone"): ("ALTER TABLE s.t ALTER COLUMN name DROP DEFAULT;",),
        (STATE, "it was dropped"): ("DROP TYPE s.state;",),
        (STATE, "a label was renamed"): ("ALTER TYPE s.state RENAME VALUE 'new' TO 'NEW';",),
        (TABLE, "it was dropped"): ("DROP TABLE s.t;",),
        (TABLE, "everybody can read it"): ("GRANT SELECT ON TABLE s.t TO PUBLIC;",),
    }.items() <= {name: one.statements for name, one in found.items()}.items()
    assert {TABLE, NAME} == found[TABLE, "it was dropped"].gone
    assert (NAME, "it is shorter") in found


def test_at_most_so_many_objects_of_a_kind_are_damaged_in_each_way() -> None:
    more = {Key("column", ("s", "t", f"c{number}")): WHOLE.objects[NAME] for number in range(5)}

    found = of(replace(WHOLE, objects={**WHOLE.objects, **more}), each=2)
    assert 2 == sum(key.kind == "column" and words == "it was dropped" for key, words in found)


def test_what_inherits_is_not_changed_alone() -> None:
    child = replace(WHOLE.objects[TABLE], inherits=("s.parent",))

    found = of(replace(WHOLE, objects={**WHOLE.objects, TABLE: child}))
    assert {"it was dropped"} == {words for key, words in found if key == NAME}


@pytest.mark.parametrize(
    ("reported", "about"),
    [
        (NAME, True),
        (TABLE, True),  # it is a part of it
        (VIEW, True),  # it is gone with it
        (Key("grant", ("column", "s", "t", "name", "PUBLIC")), True),
        (Key("column", ("s", "t", "other")), False),
        (Key("table", ("s", "u")), False),
        (Key("grant", ("table", "s", "u", "PUBLIC")), False),
    ],
)
def test_a_finding_is_about_a_damage_or_not(reported: Key, about: bool) -> None:
    damage = Damage(NAME, "it was dropped", ("…",), frozenset({NAME, VIEW}))

    assert about is answers(damage, [reported])


def test_nothing_that_nobody_reports_is_damaged() -> None:
    comment, text = Key("comment", ("table", "s", "t")), Comment("x")
    view = View(materialized=False, definition="SELECT 1;", options=())
    found = of(replace(WHOLE, objects={**WHOLE.objects, comment: text, VIEW: view}))

    assert comment not in {key for key, _ in found}

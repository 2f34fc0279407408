"""What only the database has mentions renamed objects by their expected names, if these are certain."""

from typing import Any

import pytest
from evidence import snapshot

from healthd.catalog.indexes import Index
from healthd.catalog.statistics import Statistics
from healthd.catalog.triggers import Trigger
from healthd.catalog.views import View
from healthd.comparison.unexpected_texts import respelled
from healthd.model.names import Key
from healthd.model.snapshots import NAME_OF, SWAPPED, Difference

COLUMN = Difference(Key.parse("column:app.t.name"), NAME_OF, "name", "other")
TABLE = Difference(Key.parse("table:app.t"), NAME_OF, "t", "s")
SWAP = Difference(Key.parse("table:app.t"), SWAPPED, ("a", "b"), ("b", "a"))


def index(definition: str) -> Index:
    return Index(False, True, definition)


@pytest.mark.parametrize(
    ("key", "record", "found", "wanted"),
    [
        ("index:app.t.i", index("CREATE INDEX i ON app.t (other)"), COLUMN, "CREATE INDEX i ON app.t (name)"),
        ("index:app.u.i", index("CREATE INDEX i ON app.u (other)"), COLUMN, "CREATE INDEX i ON app.u (other)"),
        ("index:app.t.i", index("ON app.t (a) WHERE b <> 'a'"), SWAP, "ON app.t (b) WHERE a <> 'a'"),
        ("trigger:app.t.r", Trigger("ON app.t WHEN (new.other > 1)", "origin"), COLUMN, "ON app.t WHEN (new.name > 1)"),
        ("statistics:app.x", Statistics("app.t", "ON a, other FROM app.t", None), COLUMN, "ON a, name FROM app.t"),
        ("statistics:app.x", Statistics("app.u", "ON a, other FROM app.u", None), COLUMN, "ON a, other FROM app.u"),
        ("index:app.t.i", index("""ON app.s ("it's", 'app.s')"""), TABLE, """ON app.t ("it's", 'app.s')"""),
        ("view:app.v", View(False, "SELECT other FROM app.t", ()), COLUMN, "SELECT other FROM app.t"),
        ("view:app.v", View(False, "SELECT 1 FROM app.s", ()), TABLE, "SELECT 1 FROM app.t"),
        ("view:app.v", View(False, "SELECT s.id, 's.' FROM app.s", ()), TABLE, "SELECT t.id, 's.' FROM app.t"),
        ("view:app.v", View(False, "SELECT s.id, x.s FROM app.u s", ()), TABLE, "SELECT s.id, x.s FROM app.u s"),
        ("view:app.v", View(False, "SELECT 1 FROM app.s2, x.app.s", ()), TABLE, "SELECT 1 FROM app.s2, x.app.s"),
    ],
)
def test_a_text_has_the_expected_names(key: str, record: Any, found: Difference, wanted: str) -> None:
    (changed,) = respelled(snapshot({}), snapshot({key: record}), [found]).objects.values()

    assert wanted == getattr(changed, "definition", None)


def test_an_expected_object_stays_as_it_is() -> None:
    sides = snapshot({"view:app.v": View(False, "SELECT 1 FROM app.s", ())})

    assert sides == respelled(sides, sides, [TABLE])

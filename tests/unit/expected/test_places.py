"""The expected objects at a few places are those that the whole lock file has there."""

from pathlib import Path

import pytest

from healthd.catalog.enums import Enum
from healthd.expected.effects import Effects
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.lockfile_lines import load
from healthd.expected.places import Places
from healthd.expected.store import Files
from healthd.model.names import Key, place_of
from healthd.model.snapshots import Difference

LOCK = Path(__file__).parents[3] / "sql" / "schema.lock"


@pytest.fixture(scope="module")
def shipped() -> LockFile:
    return load(LOCK.read_bytes(), str(LOCK))


@pytest.mark.parametrize("applied", [3, None])
def test_the_objects_at_each_place_are_those_of_the_lock_file(shipped: LockFile, applied: int | None) -> None:
    ids = [one.id for one in shipped.migrations][:applied]
    whole, places = shipped.expected(ids).objects, Places(shipped)

    assert any(isinstance(one.effects, Effects) for one in shipped.migrations)
    for place in {place_of(key) for key in shipped.expected().objects}:
        assert places.expected(ids, (place,)) == {key: one for key, one in whole.items() if place_of(key) == place}


def test_effects_that_are_no_lines_count_as_well() -> None:
    enum = Key("enum", ("app", "t"))
    made, changed = Difference(enum, None, None, Enum(("a",))), Difference(enum, "labels", ("a",), ("a", "b"))
    lock = LockFile(180000, {}, (Locked("1", "d", None, True, (made, changed), "missing"),))

    assert Places(lock).expected(["1"], (("app", "t"),)) == lock.expected(["1"]).objects
    assert Places(lock).expected([], (("app", "t"),)) == {}


def test_what_an_empty_database_has_is_expected() -> None:
    enum = Key("enum", ("app", "t"))
    lock = LockFile(180000, {enum: Enum(("a",))}, ())

    assert {enum: Enum(("a",))} == Places(lock).expected([], (("app", "t"),))


def test_places_are_read_once_for_each_lock_file(shipped: LockFile) -> None:
    files = Files(shipped, ())

    assert files.places(180004) is files.places(180001)
    assert files.places(180004).lock_file is shipped


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("column:app.t.a", ("app", "t")),
        ("comment:column.app.t.a", ("app", "t")),
        ("schema:app", ("app",)),
        ("owner:table.app.t", ("app", "t")),
    ],
)
def test_the_place_of_an_object_is_what_it_belongs_to(key: str, place: tuple[str, ...]) -> None:
    assert place_of(Key.parse(key)) == place

"""Objects of which only those at a few places were computed are the same as if all had been."""

from collections.abc import Mapping

from healthd.catalog.schemas import Schema
from healthd.comparison.near_objects import FEW, NearObjects
from healthd.model.names import Key, place_of

ONE, TWO, NEW = Key("table", ("app", "one")), Key("table", ("app", "two")), Key("table", ("app", "new"))
OTHER = Key("view", ("app", "v"))
ELSEWHERE: dict[Key, object] = {ONE: 1, TWO: 2, OTHER: 3}


class Fetched:
    """The expected objects, and how often they were fetched."""

    def __init__(self) -> None:
        self.places = self.kinds = 0

    def at(self, place: tuple[str, ...]) -> Mapping[Key, object]:
        self.places += 1
        return {key: one for key, one in ELSEWHERE.items() if place_of(key) == place}

    def of(self, kind: str) -> Mapping[Key, object]:
        self.kinds += 1
        return {key: one for key, one in ELSEWHERE.items() if key.kind == kind}


def near(fetched: Fetched, kinds: tuple[str, ...] = ("table", "view")) -> NearObjects:
    return NearObjects({NEW: 9}, {("app", "new"), ("app", "one")}, kinds, fetched.at, fetched.of)


def test_they_are_the_given_ones_at_these_places_and_the_expected_ones_elsewhere() -> None:
    objects = near(Fetched())

    assert dict(objects) == {NEW: 9, TWO: 2, OTHER: 3}
    assert dict(objects.items()) == {key: objects[key] for key in objects}
    assert len(objects) == len(objects.keys()) == len(objects.values()) == 3
    assert ONE not in objects
    assert objects.get(Key("schema", ("app",)), Schema()) == Schema()


def test_kinds_that_it_does_not_have_have_no_objects() -> None:
    objects = near(Fetched(), ("table",))

    assert OTHER not in objects
    assert objects.keys() == {NEW, TWO}


def test_one_object_is_fetched_without_all_others() -> None:
    fetched = Fetched()
    objects = near(fetched)

    assert (objects[TWO], objects[TWO], objects[NEW]) == (2, 2, 9)
    assert (fetched.places, fetched.kinds) == (1, 0)


def test_many_objects_are_fetched_by_their_kinds() -> None:
    fetched = Fetched()
    objects = near(fetched)
    for number in range(2 * FEW):
        assert Key("table", ("app", str(number))) not in objects

    assert (fetched.places, fetched.kinds) == (FEW, 1)
    assert objects[TWO] == 2

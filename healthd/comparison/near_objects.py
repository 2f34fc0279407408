"""All objects of one side, of which only those at a few places were computed: the others are fetched when needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache

from healthd.comparison.lazy_objects import LazyObjects
from healthd.model.attributes import Record
from healthd.model.kinds import Path
from healthd.model.names import Key, place_of

FEW = 50  # other places that are fetched by themselves; beyond that, whole kinds are


class NearObjects(LazyObjects):
    """The objects of these kinds: at these places the given ones, and everywhere else the expected ones.

    `at` returns the expected objects at a place, `of` those of a kind.
    """

    def __init__(
        self,
        near: Mapping[Key, Record],
        places: Collection[Path],
        kinds: Iterable[str],
        at: Callable[[Path], Mapping[Key, Record]],
        of: Callable[[str], Mapping[Key, Record]],
    ) -> None:
        self._near, self._places, self._kinds = near, frozenset(places), frozenset(kinds)
        self._at, self._of = at, cache(of)
        self._elsewhere: dict[Path, Mapping[Key, Record]] = {}

    def __getitem__(self, key: Key) -> Record:
        place = place_of(key)
        if key.kind not in self._kinds:
            raise KeyError(key)
        if place in self._places:
            return self._near[key]
        if place not in self._elsewhere:
            if len(self._elsewhere) >= FEW:
                return self._of(key.kind)[key]
            self._elsewhere[place] = self._at(place)
        return self._elsewhere[place][key]

    def _computed(self) -> dict[Key, Record]:
        found = {key: record for key, record in self._near.items() if key.kind in self._kinds}
        for kind in sorted(self._kinds):
            found.update((key, one) for key, one in self._of(kind).items() if place_of(key) not in self._places)
        return found

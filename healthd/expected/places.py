"""The expected objects at a few places, found without decoding those of all others."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from healthd.expected.codec import decode_difference
from healthd.expected.effects import Effects
from healthd.expected.lockfile import LockFile, fold
from healthd.model.attributes import Record
from healthd.model.kinds import Path
from healthd.model.names import Key, place_of
from healthd.model.snapshots import Difference

Lines = dict[Path, list[Any]]  # the effects of one migration by place: lines, or what they say


class Places:
    """Where in a lock file the effects on each place are.

    It holds the lines themselves, which are in memory anyway: about 1 MB for a thousand tables.
    """

    def __init__(self, lock_file: LockFile) -> None:
        self.lock_file = lock_file
        known: dict[Path, Path] = {}  # each place once
        self._base: Mapping[Path, list[Key]] = _by_place(lock_file.base)
        self._migrations = [(one.id, _lines(one.effects, known)) for one in lock_file.migrations]

    def expected(self, applied: Iterable[str], places: Collection[Path]) -> dict[Key, Record]:
        """Return the objects at these places that a database must have after these migrations."""
        chosen = frozenset(applied)
        base = self.lock_file.base
        objects = {key: base[key] for place in places for key in self._base.get(place, ())}
        for name, lines in self._migrations:
            if name in chosen:
                for place in places:
                    for one in lines.get(place, ()):
                        fold(objects, one if isinstance(one, Difference) else decode_difference(json.loads(one)))
        return objects


def _by_place(keys: Iterable[Key]) -> dict[Path, list[Key]]:
    found = defaultdict[Path, list[Key]](list)
    for key in keys:
        found[place_of(key)].append(key)
    return dict(found)


def _lines(effects: Iterable[Difference], known: dict[Path, Path]) -> Lines:
    found: Lines = {}
    for key, one in _keys(effects):
        place = place_of(key)
        found.setdefault(known.setdefault(place, place), []).append(one)
    return found


def _keys(effects: Iterable[Difference]) -> Iterator[tuple[Key, Any]]:
    """Yield the key of each effect, with its line if it has one."""
    if type(effects) is not Effects:
        yield from ((one.key, one) for one in effects)
        return
    for line in effects.lines:
        entry = json.loads(line)
        yield Key.parse(next(entry[verb] for verb in VERBS if verb in entry)), line


VERBS = ("added", "changed", "removed")

"""The objects of a database as a replay knows them, by what is read together after a change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from healthd.catalog import KINDS
from healthd.comparison.roles import for_comparison
from healthd.database.snapshot.catalog_changes import CatalogChanges
from healthd.database.snapshot.change_reader import ChangeReader
from healthd.database.snapshot.image_reader import ImageReader
from healthd.expected.lockfile import fold
from healthd.model.kinds import Path
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot, diff
from healthd.replay.scratch import State

Part = dict[Key, Any]


class Mirror:
    """The objects of a database, and how what a change may have touched differs from them."""

    def __init__(self, state: State) -> None:
        self._version, self._digests = state.snapshot.server_version, dict(state.digests)
        self._objects: Part = dict(state.snapshot.objects)
        self.certain = True  # all of it was read since the last difference was learned
        self._of: defaultdict[Path, set[Key]] = defaultdict(set)  # by the path of the relation
        self._all: defaultdict[str, set[Key]] = defaultdict(set)  # by the kind
        for key in self._objects:
            self._add(key)

    def _add(self, key: Key) -> None:
        self._all[key.kind].add(key)
        if KINDS[key.kind].by_relation is not None:
            self._of[key.path[:2]].add(key)

    @property
    def state(self) -> State:
        """Return everything that is known; of kinds that have changed, no digest is."""
        return State(Snapshot(self._version, dict(self._objects)), dict(self._digests))

    async def differences(
        self, reader: ChangeReader | ImageReader, changes: CatalogChanges, migrator: str
    ) -> tuple[Difference, ...]:
        """Return how the objects that a change may have touched differ now from what is known of them."""
        there = {key for path in changes.paths for key in self._of.get(path, ())}
        having = {key.kind for key in there}
        likely = (kind for kind in KINDS.values() if kind.made_of or kind.name in changes.kinds)
        kinds = [kind.name for kind in likely if changes.may_change(kind, exists=kind.name in having)]
        by_relation = {key for key in there if key.kind in kinds}
        whole = {key for kind in changes.kinds for key in self._all[kind]}
        now = await reader.objects(changes, kinds) if kinds else {}
        after = for_comparison(Snapshot(self._version, now), migrator)
        before = Snapshot(self._version, {key: self._objects[key] for key in by_relation | whole})
        return diff(before, after, exact=True)

    def take(self, differences: Iterable[Difference]) -> None:
        """Learn differences."""
        self.certain = False
        for one in differences:
            self._digests.pop(one.key.kind, None)
            fold(self._objects, one)
            if one.key in self._objects:
                self._add(one.key)
            else:
                self._all[one.key.kind].discard(one.key)
                self._of[one.key.path[:2]].discard(one.key)

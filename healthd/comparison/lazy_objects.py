"""Objects of which only some were computed: the others are fetched when they are needed."""

import functools
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from dataclasses import replace

from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot

Fetch = Callable[[str], Mapping[Key, Record]]


def whole(snapshot: Snapshot, fetch: Fetch) -> Snapshot:
    """Return the snapshot with the omitted kinds; `fetch` returns the objects of one of them."""
    if not snapshot.omitted:
        return snapshot
    return replace(snapshot, objects=_Objects(snapshot.objects, snapshot.omitted, fetch), omitted=frozenset())


class LazyObjects(Mapping[Key, Record]):
    """Objects that can be looked up one by one; whoever wants all of them gets those of one dict."""

    def _computed(self) -> dict[Key, Record]:
        """Return all of them; it is called once at most."""
        raise NotImplementedError

    @functools.cached_property
    def _all(self) -> dict[Key, Record]:
        return self._computed()

    def __iter__(self) -> Iterator[Key]:
        return iter(self._all)

    def keys(self) -> KeysView[Key]:
        """Return all keys; sets of them are computed by the interpreter, and not object by object."""
        return self._all.keys()

    def items(self) -> ItemsView[Key, Record]:
        """Return all keys with their objects."""
        return self._all.items()

    def values(self) -> ValuesView[Record]:
        """Return all objects."""
        return self._all.values()

    def __len__(self) -> int:
        return len(self._all)


class _Objects(LazyObjects):
    """The objects of a snapshot, and those of its omitted kinds."""

    def __init__(self, objects: Mapping[Key, Record], omitted: frozenset[str], fetch: Fetch) -> None:
        self._objects, self._omitted, self._fetch = objects, omitted, functools.cache(fetch)

    def __getitem__(self, key: Key) -> Record:
        return (self._fetch(key.kind) if key.kind in self._omitted else self._objects)[key]

    def _computed(self) -> dict[Key, Record]:
        found = dict(self._objects)
        for kind in sorted(self._omitted):
            found.update(self._fetch(kind))
        return found

    def __len__(self) -> int:
        return len(self._objects) + sum(len(self._fetch(kind)) for kind in self._omitted)

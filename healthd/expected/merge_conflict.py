"""The lock files of the two branches of a merge, and which migrations each of them adds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.expected.prefix import unchanged
from healthd.text import some

NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Conflict:
    """The lock files of two branches that were merged, None for one that cannot be read; git calls them so."""

    ours: LockFile | None
    theirs: LockFile | None

    @property
    def sides(self) -> tuple[LockFile, ...]:
        """Return those that can be read."""
        return tuple(one for one in (self.ours, self.theirs) if one is not None)


@dataclass(frozen=True, slots=True)
class Origins:
    """The ids of the migrations of a merge that only one branch has, or that neither has as they are now, in order."""

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    neither: tuple[str, ...] = ()

    @property
    def same_number(self) -> tuple[tuple[str, ...], ...]:
        """Return the migrations of both branches that have the same number."""
        found: dict[int, list[str]] = defaultdict(list)
        for name in (*self.ours, *self.theirs):
            if number := NUMBER.match(name):
                found[int(number[0])].append(name)
        both = (set(self.ours), set(self.theirs))
        return tuple(tuple(sorted(names)) for names in found.values() if all(side & set(names) for side in both))

    @property
    def words(self) -> str:
        """Return all of it on one line."""
        sides = (("from ours", self.ours), ("from theirs", self.theirs), ("as neither has it", self.neither))
        parts = [f"{len(names)} {words} ({some(names)})" for words, names in sides if names]
        return ", ".join(parts) or "both branches have the same migrations"

    def warnings(self) -> Iterator[str]:
        """Yield what is to be decided about the names."""
        for names in self.same_number:
            yield f"{' and '.join(names)} have the same number: rename one that no database has applied yet"

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "ours": list(self.ours),
            "theirs": list(self.theirs),
            "neither": list(self.neither),
            "same_number": [list(names) for names in self.same_number],
        }


def origins(migrations: Iterable[Migration], conflict: Conflict) -> Origins | None:
    """Return from which branch each migration comes; None if a side is unreadable, and so it is unknown."""
    if conflict.ours is None or conflict.theirs is None:
        return None
    ours, theirs = _texts(conflict.ours), _texts(conflict.theirs)
    found: Mapping[tuple[bool, bool], list[str]] = defaultdict(list)
    for one in migrations:
        text = (one.id, one.digest, one.rollback_digest)
        found[text in ours, text in theirs].append(one.id)
    return Origins(tuple(found[True, False]), tuple(found[False, True]), tuple(found[False, False]))


def _texts(lock: LockFile) -> frozenset[tuple[str, str, str | None]]:
    return frozenset((one.id, one.digest, one.rollback_digest) for one in lock.migrations)


def best_known(locks: Iterable[LockFile], migrations: Sequence[Migration]) -> LockFile | None:
    """Return the lock file with the most records that are still valid for these migrations; None without any."""
    found = tuple(locks)
    if len(found) < 2:
        return found[0] if found else None
    return max(found, key=lambda lock: unchanged(lock, migrations))

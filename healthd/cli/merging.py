"""What `healthd lock --resolve` reads of a merge, and what it says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healthd.cli.options import say
from healthd.errors import MigrationFailed
from healthd.expected.conflicted_lock import read_conflict, refuse_conflicts
from healthd.expected.files import Migration
from healthd.expected.merge_conflict import Conflict, Origins, origins


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge: both lock files, and from which of them each migration comes, None if that is unknown."""

    conflict: Conflict
    origins: Origins | None

    def lines(self) -> Iterator[str]:
        """Yield what was merged, for people."""
        if self.origins is not None:
            yield f"merged: {self.origins.words}"

    def document(self) -> dict[str, Any] | None:
        """Return it as a JSON object, None if it is unknown."""
        return None if self.origins is None else self.origins.document()


def merge_of(path: Path, migrations: Sequence[Migration]) -> Merge:
    """Return the merge that left a lock file in conflict, and say what has to be decided about it.

    Raises ConfigError if there is no conflict, or if there is one in a migration.
    """
    conflict = read_conflict(path)
    refuse_conflicts(migrations)
    for side, lock in (("ours", conflict.ours), ("theirs", conflict.theirs)):
        if lock is None:
            say(f"the lock file of {side} cannot be read: what only it contains is measured again")
    found = origins(migrations, conflict)
    for words in found.warnings() if found else ():
        say(words)
    return Merge(conflict, found)


@contextmanager
def joined(path: Path, merge: Merge) -> Iterator[None]:
    """Say which branch has which migrations if the files of both cannot be applied together."""
    try:
        yield
    except MigrationFailed:
        for words in merge.lines():
            say(words)
        say(f"the files of both branches cannot be applied together; {path} is left as it is")
        raise

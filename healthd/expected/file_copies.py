"""A migration as the ledger keeps it: written from its files and the lock file, and made a migration again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from healthd.errors import LockFileError, MigrationFailed
from healthd.expected.files import Migration, digest, in_order, migration_of
from healthd.expected.lockfile import Locked, LockFile, counted_out
from healthd.expected.lockfile_lines import load, verified
from healthd.expected.lockfile_text import dump, dump_of
from healthd.model.ledger import Copy, seal_of

T = TypeVar("T")
RESTORE = "restore its files from the release that has them"


class Records:
    """The records of a lock file, each as the text of a lock file that has no other."""

    def __init__(self, lock: LockFile) -> None:
        self._lock = counted_out(lock)
        self._first = dump(_empty(self._lock))
        self._places = {(one.id, one.digest): number for number, one in enumerate(lock.migrations)}

    def of(self, migration: Migration) -> bytes | None:
        """Return the record of a migration; None if the lock file does not contain it, or has another text of it."""
        place = self._places.get((migration.id, migration.digest))
        return None if place is None else f"{self._first}{dump_of(self._lock, place)}".encode()


def _empty(lock: LockFile) -> LockFile:
    """Return a lock file without objects and migrations, for the same versions of PostgreSQL."""
    return LockFile(lock.server_version, {}, (), {major: _empty(other) for major, other in lock.also.items()})


def refuse_changed(copy: Copy) -> None:
    """Raise MigrationFailed for a copy that is not what was applied, or was changed after it was written."""
    if not copy.id or "/" in copy.id or copy.id.startswith("."):
        raise _refused(f"the ledger has a migration named {copy.id!r}, which is not the name of a file", "correct it")
    texts = {"migration": (copy.migration, copy.digest), "rollback": (copy.rollback, copy.rollback_digest)}
    for what, (text, expected) in texts.items():
        if (None if text is None else digest(_decoded(copy, text))) != expected:
            raise _refused(f"the ledger's copy of {copy.id} is not what was applied: its {what} differs", RESTORE)
    if copy.seal != seal_of(copy.migration, copy.rollback, copy.record):
        raise _refused(f"the ledger's copy of {copy.id} was changed after it was written", RESTORE)


def _decoded(copy: Copy, text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise _refused(f"the ledger's copy of {copy.id} is not UTF-8", RESTORE) from error


def _refused(words: str, hint: str) -> MigrationFailed:
    return MigrationFailed(f"{words}; nothing was changed", hint=hint)


def with_copies(
    lock: LockFile, migrations: Sequence[Migration], copies: Iterable[Copy], folder: Path
) -> tuple[LockFile, tuple[Migration, ...]]:
    """Return a lock file and its migrations with those of which there are copies, as if the folder had their files.

    What the lock file contains is not replaced. Raises MigrationFailed for a copy that cannot be used.
    """
    files = {one.id: one for one in migrations}
    for copy in copies:
        refuse_changed(copy)
        files = _placed(files, copy.id, _migration(copy, folder))
        if copy.record is not None and all(one.id != copy.id for one in lock.migrations):
            lock = _extended(lock, _record(copy, copy.record))
    known = {name: replace(one, depends=tuple(filter(files.__contains__, one.depends))) for name, one in files.items()}
    return lock, in_order(known)


def _migration(copy: Copy, folder: Path) -> Migration:
    rollback = None if copy.rollback is None else _decoded(copy, copy.rollback)
    return migration_of(folder / f"{copy.id}.sql", _decoded(copy, copy.migration), rollback)


def _record(copy: Copy, record: bytes) -> LockFile:
    try:
        found = verified(load(record, f"the ledger's record of {copy.id}"))
    except LockFileError as error:
        words = f"the ledger's copy of {copy.id} was written by another version of healthd: {error}"
        raise _refused(words, f"use that version; or {RESTORE}") from error
    if [one.id for one in found.migrations] != [copy.id]:
        raise _refused(f"the ledger's copy of {copy.id} has the record of another migration", RESTORE)
    return found


def _extended(lock: LockFile, record: LockFile) -> LockFile:
    """Return a lock file with one more migration, as it was measured on each of its major versions, if it was."""
    also = {major: _added(other, record.on(major * 10000).migrations[0]) for major, other in lock.also.items()}
    return replace(_added(lock, record.on(lock.server_version).migrations[0]), also=also)


def _added(lock: LockFile, one: Locked) -> LockFile:
    migrations = _placed({other.id: other for other in lock.migrations}, one.id, one)
    return replace(lock, migrations=tuple(migrations.values()))


def _placed(known: Mapping[str, T], name: str, value: T) -> dict[str, T]:
    """Return a mapping with one more entry, after the last one whose name is smaller."""
    place = max((number for number, other in enumerate(known, 1) if f"{other}.sql" < f"{name}.sql"), default=0)
    entries = list(known.items())
    return dict([*entries[:place], (name, value), *entries[place:]])

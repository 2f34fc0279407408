"""Applied migrations whose files are missing here: the copies in the ledger stand in for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from healthd.database.held_connection import Where, lent
from healthd.database.ledger_copies import read_copies
from healthd.expected.file_copies import with_copies
from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.expected.status import AHEAD
from healthd.migrations.standing import standing
from healthd.model.ledger import Copy, State
from healthd.model.migration_names import forms, hashed


@dataclass(frozen=True, slots=True)
class Completed:
    """The migrations and the lock file, with those that only the ledger has; `copied` are their ids."""

    migrations: Sequence[Migration]
    lock: LockFile
    copied: frozenset[str] = frozenset()


async def completed(where: Where, migrations: Sequence[Migration], lock: LockFile) -> Completed:
    """Return the migrations and the lock file, with the ledger's copies of the applied migrations that lack a file.

    Raises MigrationFailed if a copy was changed, PermissionDenied if there are copies that may not be read.
    """
    known = await standing(where, migrations, lock)
    files = {one.id for one in migrations}
    if not (gone := [name for name in known.ids(*AHEAD, State.INTERRUPTED) if name not in files]):
        return Completed(migrations, lock)
    async with lent(where) as connection:
        hashes = [hashed(form) for name in gone for form in forms(name)]
        copies = await read_copies(connection, known.ledger, hashes)
    lock, migrations = with_copies(lock, migrations, copies, migrations[0].path.parent)
    return Completed(migrations, lock, frozenset(one.id for one in copies))


async def copies_of(where: Where) -> tuple[Copy, ...]:
    """Return all copies that the ledger keeps."""
    known = await standing(where, (), None)
    async with lent(where) as connection:
        return await read_copies(connection, known.ledger)

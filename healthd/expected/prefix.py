"""How much of a lock file was measured of the files as they are: what a replay need not measure again."""

from __future__ import annotations

from collections.abc import Sequence

from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_text import chain


def unchanged(lock: LockFile, migrations: Sequence[Migration]) -> int:
    """Return how many of the first migrations are as they were when they were measured, and so are their records.

    It is 0 for the lock file of an earlier version, which has no chain.
    """
    number = 0
    for file, one, link in zip(migrations, lock.migrations, chain(lock), strict=False):
        texts = (file.id, file.digest, file.rollback_digest, file.transactional)
        if one.chain != link or texts != (one.id, one.digest, one.rollback_digest, one.transactional):
            break
        number += 1
    return number

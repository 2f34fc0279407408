"""What a lock file contains of files that have not changed, if they still create what it adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from healthd.errors import HealthdError
from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.expected.prefix import unchanged
from healthd.model.snapshots import diff
from healthd.replay.scratch import Each, Scratch, State


async def known_prefix(
    scratch: Scratch, migrations: Sequence[Migration], empty: LockFile, known: LockFile, each: Each
) -> tuple[LockFile, State] | None:
    """Return the records of a lock file that are still valid, and the state that they lead to; None without any."""
    number = unchanged(known, migrations)
    if not number or (known.server_version, known.base) != (empty.server_version, empty.base):
        return None
    state = await proven(scratch, migrations[:number], known, each)
    return None if state is None else (replace(empty, migrations=known.migrations[:number]), state)


async def proven(scratch: Scratch, migrations: Sequence[Migration], lock: LockFile, each: Each) -> State | None:
    """Apply migrations to an empty database, and return what they created; None if the records lead to something else.

    The database is then empty again.
    """
    names = frozenset(one.id for one in migrations)
    scratch.needed = [one for one in lock.needed if one.migration in names]
    state = None
    try:
        if scratch.needed:
            await scratch.start()
        await scratch.apply_unrecorded(migrations, lambda one: each(f"apply {one.id}"))
        state = await scratch.state()
    except HealthdError as error:
        scratch.say(f"the records of the lock file are not used: {error}")
    if state is not None and not diff(lock.expected(names), state.snapshot, exact=True):
        scratch.proven = tuple(migrations)
        return state
    if state is not None:
        scratch.say("the files do not create what the lock file contains: all of them are measured again")
    await scratch.start_over()
    return None

"""What the files of a lock file create on a server of another major version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from healthd.errors import MigrationFailed
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile, counted_out
from healthd.expected.prefix import unchanged
from healthd.model.snapshots import diff
from healthd.replay.proven_prefix import proven
from healthd.replay.scratch import Each, nothing, scratch_on


async def replay_on(
    migrations: Sequence[Migration],
    lock: LockFile,
    folder: Path,
    *,
    known: LockFile | None = None,
    each: Each = nothing,
) -> LockFile:
    """Return what the migrations of a lock file create on a server with the programs in this folder.

    Only their effects are measured there, as far as a `known` lock file does not prove them; the rest is taken from
    the lock file.
    """
    async with scratch_on(folder, nothing) as scratch:
        await scratch.refuse_unavailable(migrations)
        state = await scratch.state()
        base = state.snapshot
        there = known.also.get(base.server_version // 10000) if known is not None else None
        locked: list[Locked] = []
        if known is not None and there is not None and there.base == base.objects:
            number = unchanged(known, migrations)
            needs = replace(there, needed=known.needed)
            believed = await proven(scratch, migrations[:number], needs, each) if number else None
            if believed is not None:
                state, locked = believed, list(there.migrations[:number])
        before = state.snapshot
        for migration, one in tuple(zip(migrations, lock.migrations, strict=True))[len(locked) :]:
            each(f"apply {migration.id} on PostgreSQL {base.server_version // 10000}")
            try:
                await scratch.apply(migration)
            except MigrationFailed as error:
                where = f"on PostgreSQL {base.server_version // 10000}"
                raise MigrationFailed(f"{where}: {error}", hint=error.hint) from error
            state = await scratch.state(state)
            after = state.snapshot
            locked.append(replace(one, effects=diff(before, after, exact=True), digests=None))
            before = after
        return counted_out(LockFile(base.server_version // 10000 * 10000, base.objects, tuple(locked)))

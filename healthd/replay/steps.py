"""The steps of migrations, measured on a scratch server."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence

from healthd.errors import HealthdError, MigrationFailed
from healthd.expected.files import Migration
from healthd.expected.measurements import UNKNOWN, Step
from healthd.expected.session_settings import ENDS
from healthd.replay.measurement import measure
from healthd.replay.scratch import Each, Scratch


async def measured_again(scratch: Scratch, migration: Migration) -> tuple[Step, ...] | None:
    """Apply a migration where it was rolled back exactly, and return its steps.

    None if it was not applied: only the runner can apply it, or, if it is not one transaction, can begin again.
    """
    for whole in (False, True) if migration.transactional else ():
        with contextlib.suppress(HealthdError):
            return await _step_by_step(scratch, migration, whole=whole)
    return None


async def unmeasured(
    scratch: Scratch,
    before: Sequence[Migration],
    migrations: Sequence[Migration],
    measured: Collection[str],
    each: Each,
) -> dict[str, tuple[Step, ...]]:
    """Return the steps of the migrations that are not measured yet, applied in their order to an empty database."""
    found = {}
    await scratch.start()
    await scratch.apply_unrecorded(before)
    for number, migration in enumerate(migrations):
        each(f"measure the locks of {migration.id}")
        if migration.id in measured:
            try:
                await scratch.apply_unrecorded([migration])
            except HealthdError:  # it needs the ledger
                await scratch.start((*before, *migrations[: number + 1]))
        else:
            found[migration.id] = await _steps(scratch, (*before, *migrations[:number]), migration)
    return found


async def _steps(scratch: Scratch, before: Sequence[Migration], migration: Migration) -> tuple[Step, ...]:
    """Apply a migration after those before it and return its steps.

    A migration whose statements cannot run one by one is one step. One that only the runner can apply is not measured,
    nor is one that ends the sessions that measure.
    """
    for whole in (False, True) if migration.transactional else (False,):
        with contextlib.suppress(HealthdError):
            return await _step_by_step(scratch, migration, whole=whole)
    await scratch.start((*before, migration))
    return (Step(1, known=UNKNOWN),)


async def _step_by_step(scratch: Scratch, migration: Migration, *, whole: bool) -> tuple[Step, ...]:
    if ENDS.search(migration.apply):
        raise MigrationFailed(f"{migration.id} would end the sessions that measure it")
    steps = await measure(await scratch.worker(), migration, whole=whole, reader=scratch.connection)
    await scratch.renew(migration.apply)
    return steps

"""Adopted migrations whose effects are already there: they are marked as applied instead of being run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from healthd.config.settings import Target
from healthd.database.held_connection import HeldConnection, Where
from healthd.expected.files import Migration
from healthd.migrations.baseline import Fit, adopt, fit
from healthd.migrations.database_state import Look, drift_of
from healthd.migrations.engine.lock_waits import Say
from healthd.model.findings import Finding, identity

if TYPE_CHECKING:
    from healthd.expected.lockfile import LockFile


async def already_there(
    target: Target,
    where: Where,
    migrations: Sequence[Migration],
    lock: LockFile,
    pending: Sequence[Migration],
    found: Sequence[Finding],
) -> Fit | None:
    """Return how the database fits the first pending migrations if they are adopted and their effects are there.

    `found` is what differs now, warnings too. As many of them as possible: with them, no object that they change may
    differ, and nothing that does not differ now. Other differences do not matter. Only reads.
    """
    names = [one.id for one in takewhile(lambda one: one.adopted, pending)] if found else []
    known = {identity(one) for one in found}
    for count in range(len(names), 0, -1):
        fits = await fit(target, migrations, lock, to=names[count - 1], where=where)
        made = {effect.key for one in lock.migrations if one.id in names[:count] for effect in one.effects}
        left = [one for one in fits.findings if one.key in made or identity(one) not in known]
        if not left and [one.id for one in fits.adopted] == names[:count]:
            return fits
    return None


def in_the_way(seen: Look, there: Fit | None, pending: Sequence[Migration]) -> tuple[Finding, ...]:
    """Return the drift for which a run is refused: next to adopted migrations it matters only if others are to run."""
    if there is None:
        return seen.drift
    return drift_of(there.findings) if len(there.adopted) < len(pending) else ()


async def mark(
    target: Target, held: HeldConnection, found: Fit, lock: LockFile, *, wait_s: float, say: Say
) -> tuple[str, ...]:
    """Mark the migrations of such a fit as applied, under the migration lock, and return their ids."""
    await held.close()  # in favour of the one that marks
    await adopt(target, found, lock, wait_s=wait_s, say=say)
    marked = tuple(one.id for one in found.adopted)
    say(f"{', '.join(marked)}: marked as applied, because {target.name} already has the changes")
    return marked

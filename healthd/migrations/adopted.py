"""Adopted migrations whose effects are already there: they are marked as applied instead of being run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from healthd.config.settings import Target
from healthd.expected.files import Migration
from healthd.migrations.baseline import Fit, adopt, fit
from healthd.migrations.engine.lock_waits import Say
from healthd.model.findings import Finding

if TYPE_CHECKING:
    from healthd.expected.lockfile import LockFile


async def already_there(
    target: Target,
    migrations: Sequence[Migration],
    lock: LockFile,
    pending: Sequence[Migration],
    drift: Sequence[Finding],
) -> Fit | None:
    """Return how the database fits the first pending migrations if they are adopted and their effects are there.

    As many of them as fit; a database that has drifted further fits none. Only reads.
    """
    names = [one.id for one in takewhile(lambda one: one.adopted, pending)] if drift else []
    for count in range(len(names), 0, -1):
        found = await fit(target, migrations, lock, to=names[count - 1])
        if not found.findings and [one.id for one in found.adopted] == names[:count]:
            return found
    return None


async def mark(target: Target, found: Fit, *, wait_s: float, say: Say) -> tuple[str, ...]:
    """Mark the migrations of such a fit as applied, under the migration lock, and return their ids."""
    await adopt(target, found, wait_s=wait_s)
    marked = tuple(one.id for one in found.adopted)
    say(f"{', '.join(marked)}: marked as applied, because {target.name} already has the changes")
    return marked

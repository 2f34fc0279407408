"""Why a run would be refused before it starts: what a database lacks, or has otherwise; only read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthd.config.settings import Target
from healthd.database.held_connection import Where
from healthd.database.ledger import Ledger
from healthd.errors import HealthdError
from healthd.expected import default_places
from healthd.expected.files import Migration
from healthd.expected.store import Files
from healthd.migrations import guards
from healthd.migrations.adopted import already_there, in_the_way
from healthd.migrations.database_state import look
from healthd.migrations.impact import Foreseen, foresee
from healthd.migrations.run_plan import order_refusals
from healthd.migrations.standing import TO_RUN, Standing, read_session

if TYPE_CHECKING:
    from healthd.expected.lockfile import LockFile


@dataclass(frozen=True, slots=True)
class Outlook:
    """What `migrate` would do before it runs anything: refuse, or mark adopted migrations as applied."""

    refusals: tuple[HealthdError, ...] = ()  # interrupted, edited and unknown migrations are not included
    marked: tuple[str, ...] = ()  # the ids of migrations whose changes the database already has


async def outlook(
    target: Target,
    migrations: Sequence[Migration],
    lock: LockFile,
    known: Standing,
    *,
    name: str,
    where: Where | None = None,
) -> Outlook:
    """Return why `migrate` would refuse to start, and what it would mark without running it. Only reads."""
    where = target.dsn if where is None else where
    files, ledger = Files.of(lock, migrations), known.ledger
    applied = [one.id for one in ledger.applied]
    pending = [one for one in migrations if one.id in known.ids(*TO_RUN)]
    if not pending:
        return Outlook()
    seen = await look(target, files, where)
    there = await already_there(target, where, migrations, lock, pending, seen.found) if applied else None
    drift = in_the_way(seen, there, pending) if applied else ()
    foreseen = foresee(target.contracts, lock, ledger, seen.reading.snapshot, pending)
    misplaced = await elsewhere(where, lock, pending)
    refused = (
        *order_refusals(known, migrations, [one.id for one in migrations]),
        *guards.raised(guards.refuse_unmeasured, lock, pending, applied, name),
        *guards.raised(guards.refuse_elsewhere, target.name, misplaced),
        *guards.raised(guards.refuse_drift, target.name, drift, unlocked(lock, applied)),
        *guards.raised(guards.refuse_breaks, target.name, foreseen.refuses),
        *await _unwritable(target, where, ledger),
    )
    return Outlook(refused, tuple(one.id for one in there.adopted) if there else ())


def outlook_of(
    target: Target | None, migrations: Sequence[Migration], lock: LockFile, known: Standing, *, name: str
) -> tuple[Foreseen, Outlook]:
    """Return the expectations that would break, and the refusals that can be determined without the database.

    The database is taken to be what the lock file says of the applied migrations. Drift, privileges and what the server
    provides are not known.
    """
    pending = [one for one in migrations if one.id in known.ids(*TO_RUN)]
    applied = [one.id for one in known.ledger.applied]
    there = lock.on(known.server_version).expected(applied)
    foreseen = foresee(target.contracts if target else (), lock, known.ledger, there, pending)
    refused = (
        *order_refusals(known, migrations, [one.id for one in migrations]),
        *guards.raised(guards.refuse_unmeasured, lock, pending, applied, name),
        *guards.raised(guards.refuse_breaks, target.name if target else "", foreseen.refuses),
    )
    return foreseen, Outlook(refused if pending else ())


async def elsewhere(where: Where, lock: LockFile, pending: Sequence[Migration]) -> tuple[default_places.Elsewhere, ...]:
    """Return what sessions of this database would create elsewhere than the replay did."""
    known = default_places.measured(lock, pending)
    return tuple(default_places.elsewhere(known, await read_session(where, default_places.touched(known))))


async def elsewhere_undoing(
    where: Where, lock: LockFile, undone: Sequence[Migration]
) -> tuple[default_places.Elsewhere, ...]:
    """Return what rollbacks would look up elsewhere than the replay did."""
    known = default_places.measured(lock, undone)
    return tuple(
        default_places.elsewhere_undoing(known, await read_session(where, default_places.touched_undoing(known)))
    )


async def _unwritable(target: Target, where: Where, ledger: Ledger) -> tuple[HealthdError, ...]:
    """Return why the tables of a ledger could not be created, or written to."""
    session = await read_session(where, ())
    return guards.raised(guards.refuse_unwritable, target.name, session, not ledger.schemas)


def unlocked(lock: LockFile, applied: Sequence[str], files: Sequence[tuple[str, str]] = ()) -> tuple[str, ...]:
    """Return the applied migrations that the lock file lacks, or, for these files, has another text of."""
    locked, given = {one.id: one.digest for one in lock.migrations}, dict(files)
    return tuple(one for one in applied if locked.get(one) is None or given.get(one, locked[one]) != locked[one])

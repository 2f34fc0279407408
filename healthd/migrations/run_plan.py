"""What a run is about to do to one database, and why it is refused; nothing is locked or changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from healthd.database.dsn import Dsn
from healthd.database.held_connection import Where, dsn_of
from healthd.errors import ConfigError, MigrationFailed
from healthd.expected.files import Migration, read_post_apply, up_to
from healthd.expected.lockfile import LockFile
from healthd.expected.status import ahead, renamed
from healthd.migrations.engine.lock_waits import Say
from healthd.migrations.standing import TO_RUN, Standing, standing
from healthd.model.ledger import State
from healthd.text import some


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run is about to do to one database; planning locks and changes nothing."""

    dsn: str | Dsn
    standing: Standing  # the basis of the plan
    operation: Literal["apply", "rollback"]
    migrations: tuple[Migration, ...] = ()  # in the order in which they run; empty if there is nothing to do
    afterwards: tuple[Migration, ...] = ()  # the post-apply files, which run after the migrations
    lock_file: LockFile | None = None  # its records are kept with the files


async def plan_apply(
    where: Where,
    migrations: Sequence[Migration],
    lock: LockFile | None,
    *,
    say: Say,
    to: str | None = None,
    allow_out_of_order: bool = False,
    allow_edited: bool = False,
    allow_ahead: bool = False,
) -> RunPlan:
    """Return what would be applied, up to and including `to`; an interrupted migration continues where it stopped.

    Raises MigrationFailed if an applied file was edited or is missing, or if a pending migration is older than an
    applied one, unless that is allowed.
    """
    known = await standing(where, migrations, lock)
    chosen = migrations if to is None else up_to(migrations, to)
    names = [one.id for one in chosen]
    if (edited := known.ids(State.EDITED)) and not allow_edited:
        raise MigrationFailed(
            f"edited after it was applied: {', '.join(edited)}; nothing was changed",
            hint="restore the file and write a new migration; or healthd migrate --allow-edited",
        )
    for error in order_refusals(
        known, migrations, names, allow_out_of_order=allow_out_of_order, allow_edited=allow_edited
    ):
        raise error
    _refuse_ahead(known, migrations, say, allow_ahead=allow_ahead, allow_edited=allow_edited)
    waiting = known.ids(*TO_RUN)
    _refuse_halves(known, names, "apply")
    pending = tuple(one for one in chosen if one.id in waiting)
    afterwards = read_post_apply(dict.fromkeys(one.path.parent for one in migrations)) if pending else ()
    return RunPlan(dsn_of(where), known, "apply", pending, tuple(afterwards), lock)


def order_refusals(
    known: Standing,
    migrations: Sequence[Migration],
    names: Sequence[str],
    *,
    allow_out_of_order: bool = False,
    allow_edited: bool = False,
) -> Iterator[MigrationFailed]:
    """Yield errors about the order and the names of the files that are about to be applied."""
    if (late := [one for one in known.ids(State.OUT_OF_ORDER) if one in names]) and not allow_out_of_order:
        yield MigrationFailed(
            f"older than an applied migration: {', '.join(late)}; nothing was changed",
            hint="rename it so that it sorts last; or healthd migrate --allow-out-of-order",
        )
    again = renamed([(one.id, one.digest) for one in migrations], known.ledger.applied)
    if (twice := [f"{new} was {old}" for new, old in again.items() if new in names]) and not allow_edited:
        yield MigrationFailed(
            f"renamed after it was applied: {some(twice)}; nothing was changed",
            hint="restore its old name; or, to run it a second time: healthd migrate --allow-edited",
        )


def _refuse_ahead(
    known: Standing, migrations: Sequence[Migration], say: Say, *, allow_ahead: bool, allow_edited: bool
) -> None:
    """Raise if the database has migrations that the files lack, or report it; a renamed file is not missing."""
    again = renamed([(one.id, one.digest) for one in migrations], known.ledger.applied)
    gone = again.values() if allow_edited else ()
    lost = ahead(one for one in known.migrations if one.id not in gone)
    if lost and not allow_ahead:
        raise MigrationFailed(
            f"{lost}; nothing was changed",
            hint="use the files of the newest release that was deployed; or healthd migrate --allow-drift",
        )
    if lost:
        say(lost)


def _refuse_halves(known: Standing, names: Sequence[str], operation: str) -> None:
    """Raise for an interrupted file that this run would not continue."""
    for one in known.ledger.interrupted if not known.maintenance else ():
        if one.operation != operation or one.id not in names:
            what = one.id if one.operation == "apply" else f"the rollback of {one.id}"
            raise MigrationFailed(
                f"{what} was interrupted ({one.words.removeprefix('rollback, ')}); nothing was changed",
                hint="run healthd resume",
            )


@dataclass(frozen=True, slots=True)
class ResumePlan:
    """The file that was interrupted, and its progress if that is specified; see `plan_resume`."""

    dsn: str | Dsn
    standing: Standing
    migration: Migration
    operation: str  # apply or rollback
    from_statement: int | None  # the statements before it were applied, and no others; None: read it from the database
    lock_file: LockFile | None = None


async def plan_resume(
    where: Where, migrations: Sequence[Migration], lock: LockFile | None, *, from_statement: int | None = None
) -> ResumePlan | None:
    """Return what would be completed; None if nothing was interrupted."""
    known = await standing(where, migrations, lock)
    if not (halves := known.ledger.interrupted):
        if from_statement is not None:
            raise ConfigError("no migration was interrupted", hint="check with: healthd status")
        return None
    half = halves[0]
    migration = next((one for one in migrations if one.id == half.id), None)
    if migration is None:
        raise MigrationFailed(
            f"{half.id} was interrupted ({half.words}), and its file is missing; nothing was changed",
            hint="restore its file",
        )
    return ResumePlan(dsn_of(where), known, migration, half.operation, from_statement, lock)


async def plan_rollback(
    where: Where, migrations: Sequence[Migration], lock: LockFile | None, *, to: str | None, every: bool = False
) -> RunPlan:
    """Return what would be rolled back: the last applied migration, or all after `to`, or `every` one, the last first.

    The last one is the last in the order of the files, whenever it was applied: dependent migrations go first.
    """
    known = await standing(where, migrations, lock)
    if lost := ahead(known.migrations):
        hint = "restore its files: the ledger has no copy of them"
        raise MigrationFailed(f"{lost}; nothing was changed", hint=hint)
    undoing = [one.id for one in known.ledger.interrupted if one.operation == "rollback"]
    applied = known.ids(State.APPLIED, State.EDITED, State.INTERRUPTED)
    keep = [one.id for one in up_to(migrations, to)] if to else [] if every else list(applied[:-1])
    _refuse_halves(known, [one for one in undoing if one not in keep], "rollback")
    undone = [one for one in reversed(migrations) if one.id in applied and one.id not in keep]
    if lacking := [one for one in undone if one.rollback is None]:
        names = [one.id for one in lacking]
        raise MigrationFailed(
            f"{some(names)} {'have' if len(names) > 1 else 'has'} no rollback; nothing was changed",
            hint=f"write {some([one.rollback_path.name for one in lacking])}{_up_to_it(undone, lacking[0])}",
        )
    return RunPlan(dsn_of(where), known, "rollback", tuple(undone))


def _up_to_it(undone: Sequence[Migration], first: Migration) -> str:
    """Return how to roll back the migrations that come before one without a rollback; empty if there are none."""
    return f"; or roll back only to it: healthd rollback --to {first.id}" if first is not undone[0] else ""

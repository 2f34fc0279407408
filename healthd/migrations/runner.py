"""Change one database: apply pending migrations, roll back applied ones, and report what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from healthd.database.connection import connect, rows_of
from healthd.database.ledger import Ledger, read_ledger
from healthd.errors import ConfigError, DatabaseFailed, MigrationFailed
from healthd.expected.files import Migration, read_post_apply, up_to
from healthd.expected.lockfile import LockFile
from healthd.expected.session_settings import SESSION, Session
from healthd.expected.status import ahead, renamed, states
from healthd.migrations.engine.lock_waits import DEFAULT, Patience, Say
from healthd.model.ledger import MigrationState, State
from healthd.text import some

if TYPE_CHECKING:
    from healthd.migrations.engine.text_recorder import Recorder
    from healthd.migrations.engine.yoyo_backend import Backend

TO_RUN = (State.PENDING, State.OUT_OF_ORDER, State.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run waits for other sessions, and where it reports."""

    say: Say  # receives a line for each event
    live: Say | None = None  # receives transient state, such as progress
    wait_s: float = 60.0  # for the migration lock
    patience: Patience = DEFAULT  # for the locks of other sessions
    recorder: Recorder | None = None  # records how this server prints the texts that the files create


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run is about to do to one database; planning locks and changes nothing."""

    dsn: str
    standing: Standing  # the basis of the plan
    operation: Literal["apply", "rollback"]
    migrations: tuple[Migration, ...] = ()  # in the order in which they run; empty if there is nothing to do
    afterwards: tuple[Migration, ...] = ()  # the post-apply files, which run after the migrations


@dataclass(frozen=True, slots=True)
class Standing:
    """The states of the migrations in a database, and the ledger from which they were derived.

    `maintenance` names the run that is active, `server_version` is PostgreSQL's number.
    """

    migrations: tuple[MigrationState, ...]
    ledger: Ledger
    maintenance: str | None
    server_version: int

    def ids(self, *wanted: State) -> tuple[str, ...]:
        """Return the ids of the migrations in these states."""
        return tuple(one.id for one in self.migrations if one.state in wanted)


async def standing(dsn: str, migrations: Sequence[Migration], lock: LockFile | None) -> Standing:
    """Return the state of each migration; only reads, takes no lock, needs no privilege to write."""
    async with connect(dsn) as connection:
        ledger, maintenance = await read_ledger(connection)
        version = connection.info.server_version
    ledger.readable()
    locked = [one.id for one in lock.migrations] if lock else []
    files = [(one.id, one.digest) for one in migrations]
    halves = () if maintenance else ledger.interrupted  # an active run is applying it
    return Standing(tuple(states(files, locked, ledger.applied, halves)), ledger, maintenance, version)


async def plan_apply(
    dsn: str,
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
    known = await standing(dsn, migrations, lock)
    chosen = migrations if to is None else up_to(migrations, to)
    names = [one.id for one in chosen]
    if (edited := known.ids(State.EDITED)) and not allow_edited:
        raise MigrationFailed(
            f"edited after it was applied: {', '.join(edited)}; nothing was changed",
            hint="restore the file and write a new migration; or healthd migrate --allow-edited",
        )
    for error in refusals(known, migrations, names, allow_out_of_order=allow_out_of_order, allow_edited=allow_edited):
        raise error
    _refuse_ahead(known, migrations, say, allow_ahead=allow_ahead, allow_edited=allow_edited)
    waiting = known.ids(*TO_RUN)
    _refuse_halves(known, names, "apply")
    pending = tuple(one for one in chosen if one.id in waiting)
    afterwards = read_post_apply(dict.fromkeys(one.path.parent for one in migrations)) if pending else ()
    return RunPlan(dsn, known, "apply", pending, tuple(afterwards))


async def execute(plan: RunPlan, manner: Manner) -> tuple[str, ...]:
    """Execute a plan, and return the ids of its migrations; no lock is taken if there is nothing to do.

    The files post-apply*.sql next to the migrations run after them, as with yoyo.
    """
    if not plan.migrations:
        return ()
    if plan.operation == "apply":
        return await asyncio.to_thread(_apply, plan, manner)
    return await asyncio.to_thread(_undo, plan, manner)


async def migrate(
    dsn: str,
    migrations: Sequence[Migration],
    lock: LockFile | None,
    *,
    say: Say,
    to: str | None = None,
    wait_s: float = 60.0,
    allow_out_of_order: bool = False,
    allow_edited: bool = False,
    allow_ahead: bool = False,
    patience: Patience = DEFAULT,
    live: Say | None = None,
    recorder: Recorder | None = None,
) -> tuple[str, ...]:
    """Plan and apply at once, reading nothing but the ledger; see `plan_apply` and `execute`."""
    plan = await plan_apply(
        dsn,
        migrations,
        lock,
        say=say,
        to=to,
        allow_out_of_order=allow_out_of_order,
        allow_edited=allow_edited,
        allow_ahead=allow_ahead,
    )
    return await execute(plan, Manner(say, live, wait_s, patience, recorder))


def refusals(
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


async def session(dsn: str, relations: Sequence[str]) -> Session:
    """Return where a session like that of a run creates objects, and which of these relations it could find."""
    async with connect(dsn) as connection:
        ((*values,),) = await rows_of(connection, SESSION, (list(relations),))
    return Session(*values)


def _refuse_halves(known: Standing, names: Sequence[str], operation: str) -> None:
    """Raise for an interrupted file that this run would not continue."""
    for one in known.ledger.interrupted if not known.maintenance else ():
        if one.operation != operation or one.id not in names:
            what = one.id if one.operation == "apply" else f"the rollback of {one.id}"
            raise MigrationFailed(
                f"{what} was interrupted ({one.words.removeprefix('rollback, ')}); nothing was changed",
                hint="run healthd resume",
            )


def _apply(plan: RunPlan, manner: Manner) -> tuple[str, ...]:
    from healthd.migrations.engine.yoyo_backend import (  # importing yoyo takes 60 ms: not needed for reading
        check,
        yoyo_migration,
    )

    for migration in (*plan.migrations, *plan.afterwards):
        check(migration.apply, migration.path, transactional=migration.transactional)
    done: list[str] = []
    with _opened(plan.dsn, manner) as backend:
        applied = set(backend.get_applied_migration_hashes())  # another run may have changed them since the plan
        for number, migration in enumerate(plan.migrations, 1):
            theirs = yoyo_migration(migration)
            if theirs.hash in applied:
                continue
            if manner.live is not None:
                manner.live(f"[{number}/{len(plan.migrations)}] {migration.id}")
            with _telling("applied", done):
                backend.apply_one(theirs)
            done.append(migration.id)
            manner.say(f"applied {migration.id}")
        for migration in plan.afterwards if done else ():
            with _telling("applied", done):
                backend.apply_one(yoyo_migration(migration), mark=False)
            manner.say(f"ran {migration.id}")
    return tuple(done)


def _opened(dsn: str, manner: Manner) -> AbstractContextManager[Backend]:
    """Open the connection of a run, and hold the migration lock for a block."""
    from healthd.migrations.engine.yoyo_backend import opened

    return opened(
        dsn,
        wait_s=manner.wait_s,
        patience=manner.patience,
        say=manner.say,
        live=manner.live,
        recorder=manner.recorder,
    )


@contextmanager
def _telling(what: str, done: Sequence[str]) -> Iterator[None]:
    """If the block fails, add to its error which migrations were completed before it."""
    try:
        yield
    except (MigrationFailed, DatabaseFailed) as error:
        before = f"{what} before it: {', '.join(done)}" if done else f"none was {what} before it"
        raise MigrationFailed(f"{error} ({before})", hint=error.hint) from error


@dataclass(frozen=True, slots=True)
class ResumePlan:
    """The file that was interrupted, and its progress if that is specified; see `plan_resume`."""

    dsn: str
    standing: Standing
    migration: Migration
    operation: str  # apply or rollback
    from_statement: int | None  # the statements before it were applied, and no others; None: read it from the database


async def plan_resume(
    dsn: str, migrations: Sequence[Migration], lock: LockFile | None, *, from_statement: int | None = None
) -> ResumePlan | None:
    """Return what would be completed; None if nothing was interrupted."""
    known = await standing(dsn, migrations, lock)
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
    return ResumePlan(dsn, known, migration, half.operation, from_statement)


async def execute_resume(plan: ResumePlan, manner: Manner) -> tuple[str, ...]:
    """Complete the file, and return its migration's id; empty if another run has completed it."""
    return await asyncio.to_thread(_resume, plan, manner, dry_run=False)


async def rehearse_resume(plan: ResumePlan, manner: Manner) -> tuple[str, ...]:
    """Report what of the file was applied and what would be done; change nothing."""
    return await asyncio.to_thread(_resume, plan, manner, dry_run=True)


async def resume(
    dsn: str,
    migrations: Sequence[Migration],
    lock: LockFile | None,
    *,
    say: Say,
    from_statement: int | None = None,
    dry_run: bool = False,
    wait_s: float = 60.0,
    patience: Patience = DEFAULT,
    live: Say | None = None,
    recorder: Recorder | None = None,
) -> tuple[str, ...]:
    """Plan and complete what was interrupted, reading nothing but the ledger; see `plan_resume`."""
    plan = await plan_resume(dsn, migrations, lock, from_statement=from_statement)
    if plan is None:
        return ()
    manner = Manner(say, live, wait_s, patience, recorder)
    return await (rehearse_resume if dry_run else execute_resume)(plan, manner)


def _resume(plan: ResumePlan, manner: Manner, *, dry_run: bool) -> tuple[str, ...]:
    from healthd.migrations.engine import nontransactional
    from healthd.migrations.engine.yoyo_backend import yoyo_migration

    with _opened(plan.dsn, manner) as backend:
        theirs = yoyo_migration(plan.migration)
        job = backend.job(theirs, plan.operation)
        marked = theirs.hash in backend.get_applied_migration_hashes()
        if marked == (plan.operation == "apply"):
            if not nontransactional.begun(backend, job):
                return ()  # another run has completed it
            if plan.from_statement is None:
                raise nontransactional.contradicted(job)
            if marked and not dry_run:
                backend.unmark_one(theirs, log=False)  # it is marked again when it is complete
        if dry_run:
            for line in nontransactional.told(job, nontransactional.look(backend, job, plan.from_statement)):
                manner.say(line)
            return ()
        if plan.from_statement is not None:
            nontransactional.go_on_from(backend, job, plan.from_statement)
        if plan.operation == "apply":
            backend.apply_one(theirs)
        else:
            backend.rollback_one(theirs)
        manner.say(f"{'applied' if plan.operation == 'apply' else 'rolled back'} {plan.migration.id}")
    return (plan.migration.id,)


async def plan_rollback(
    dsn: str, migrations: Sequence[Migration], lock: LockFile | None, *, to: str | None, every: bool = False
) -> RunPlan:
    """Return what would be rolled back: the last applied migration, or all after `to`, or `every` one, the last first.

    The last one is the last in the order of the files, whenever it was applied: dependent migrations go first.
    """
    known = await standing(dsn, migrations, lock)
    if lost := ahead(known.migrations):
        raise MigrationFailed(f"{lost}; nothing was changed", hint="restore its files")
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
    return RunPlan(dsn, known, "rollback", tuple(undone))


async def rollback(
    dsn: str,
    migrations: Sequence[Migration],
    lock: LockFile | None,
    *,
    say: Say,
    to: str | None,
    every: bool = False,
    wait_s: float = 60.0,
    patience: Patience = DEFAULT,
    live: Say | None = None,
    recorder: Recorder | None = None,
) -> tuple[str, ...]:
    """Plan and roll back at once, reading nothing but the ledger; see `plan_rollback` and `execute`."""
    plan = await plan_rollback(dsn, migrations, lock, to=to, every=every)
    return await execute(plan, Manner(say, live, wait_s, patience, recorder))


def _up_to_it(undone: Sequence[Migration], first: Migration) -> str:
    """Return how to roll back the migrations that come before one without a rollback; empty if there are none."""
    return f"; or roll back only to it: healthd rollback --to {first.id}" if first is not undone[0] else ""


def _undo(plan: RunPlan, manner: Manner) -> tuple[str, ...]:
    from healthd.migrations.engine.yoyo_backend import check, yoyo_migration

    for migration in plan.migrations:
        check(migration.rollback or "", migration.rollback_path, transactional=migration.transactional)
    done: list[str] = []
    with _opened(plan.dsn, manner) as backend:
        applied = set(backend.get_applied_migration_hashes())  # another run may have changed them since the plan
        for migration in plan.migrations:
            theirs = yoyo_migration(migration)
            if theirs.hash not in applied:
                continue
            with _telling("rolled back", done):
                backend.rollback_one(theirs)
            done.append(migration.id)
            manner.say(f"rolled back {migration.id}")
    return tuple(done)

"""Change one database: apply what is pending, roll back what was applied, and say what happened."""

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
    """How a run behaves towards others, and whom it tells."""

    say: Say  # is given a line for each thing that happened
    live: Say | None = None  # is given what is only true for a moment
    wait_s: float = 60.0  # for the migration lock
    patience: Patience = DEFAULT  # with the locks of others
    recorder: Recorder | None = None  # of how this server prints what the files make


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run is about to do to one database; nothing is locked while it is made, and nothing is changed."""

    dsn: str
    standing: Standing  # what it was made from
    operation: Literal["apply", "rollback"]
    migrations: tuple[Migration, ...] = ()  # in the order in which they run; none when there is nothing to do
    afterwards: tuple[Migration, ...] = ()  # the post-apply files, which run after those that were applied


@dataclass(frozen=True, slots=True)
class Standing:
    """What a database says of its migrations, and the ledger that it was taken from.

    `maintenance` says who is migrating just now, `server_version` is PostgreSQL's number.
    """

    migrations: tuple[MigrationState, ...]
    ledger: Ledger
    maintenance: str | None
    server_version: int

    def ids(self, *wanted: State) -> tuple[str, ...]:
        """Return the ids of the migrations in these states."""
        return tuple(one.id for one in self.migrations if one.state in wanted)


async def standing(dsn: str, migrations: Sequence[Migration], lock: LockFile | None) -> Standing:
    """Return where each migration stands; reads only, takes no lock, needs no privilege to write."""
    async with connect(dsn) as connection:
        ledger, maintenance = await read_ledger(connection)
        version = connection.info.server_version
    ledger.readable()
    locked = [one.id for one in lock.migrations] if lock else []
    files = [(one.id, one.digest) for one in migrations]
    halves = () if maintenance else ledger.interrupted  # somebody is at it
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
    """Return what would be applied, up to and with `to`; one that was interrupted goes on where it was.

    Raises MigrationFailed when an applied file was edited or is gone, or when a pending one is older than an applied
    one, unless that is allowed: then `say` is given it.
    """
    known = await standing(dsn, migrations, lock)
    chosen = migrations if to is None else up_to(migrations, to)
    names = [one.id for one in chosen]
    if (edited := known.ids(State.EDITED)) and not allow_edited:
        raise MigrationFailed(
            f"edited after it was applied: {', '.join(edited)}; nothing was changed",
            hint="bring the file back and write a new migration, or healthd migrate --allow-edited",
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
    """Do what was planned, and return the ids of what was done; no lock is taken when there is nothing to do.

    The post-apply*.sql beside the migrations run after those that were applied, as yoyo has it.
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
    """Plan and apply at once, with a look at nothing but the ledger; see `plan_apply` and `execute`."""
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
    """Yield what is wrong with the order and the names of the files that are about to be applied."""
    if (late := [one for one in known.ids(State.OUT_OF_ORDER) if one in names]) and not allow_out_of_order:
        yield MigrationFailed(
            f"older than what is applied: {', '.join(late)}; nothing was changed",
            hint="rename it to come last, or healthd migrate --allow-out-of-order",
        )
    again = renamed([(one.id, one.digest) for one in migrations], known.ledger.applied)
    if (twice := [f"{new} was {old}" for new, old in again.items() if new in names]) and not allow_edited:
        yield MigrationFailed(
            f"renamed after it was applied: {some(twice)}; nothing was changed",
            hint="give it its old name back, or to run it a second time: healthd migrate --allow-edited",
        )


def _refuse_ahead(
    known: Standing, migrations: Sequence[Migration], say: Say, *, allow_ahead: bool, allow_edited: bool
) -> None:
    """Raise when the database has migrations that the files do not have, or only say it; its old name is no other."""
    again = renamed([(one.id, one.digest) for one in migrations], known.ledger.applied)
    gone = again.values() if allow_edited else ()
    lost = ahead(one for one in known.migrations if one.id not in gone)
    if lost and not allow_ahead:
        raise MigrationFailed(
            f"{lost}; nothing was changed",
            hint="give it the files that the newest release was deployed from; or healthd migrate --allow-drift",
        )
    if lost:
        say(lost)


async def session(dsn: str, relations: Sequence[str]) -> Session:
    """Return where a session like that of a run puts things, and which of these relations it could find."""
    async with connect(dsn) as connection:
        ((*values,),) = await rows_of(connection, SESSION, (list(relations),))
    return Session(*values)


def _refuse_halves(known: Standing, names: Sequence[str], operation: str) -> None:
    """Raise for a file that is half-way and is not one that is about to go on."""
    for one in known.ledger.interrupted if not known.maintenance else ():
        if one.operation != operation or one.id not in names:
            what = one.id if one.operation == "apply" else f"the rollback of {one.id}"
            raise MigrationFailed(
                f"{what} was interrupted ({one.words.removeprefix('rollback, ')}); nothing was changed",
                hint="healthd resume",
            )


def _apply(plan: RunPlan, manner: Manner) -> tuple[str, ...]:
    from healthd.migrations.engine.yoyo_backend import (  # yoyo costs 60 ms: not for who only looks
        check,
        yoyo_migration,
    )

    for migration in (*plan.migrations, *plan.afterwards):
        check(migration.apply, migration.path, transactional=migration.transactional)
    done: list[str] = []
    with _opened(plan.dsn, manner) as backend:
        applied = set(backend.get_applied_migration_hashes())  # others may have been quicker
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
    """Say, when the block fails, what was done before it: that stays."""
    try:
        yield
    except (MigrationFailed, DatabaseFailed) as error:
        before = f"{what} before it: {', '.join(done)}" if done else f"none was {what} before it"
        raise MigrationFailed(f"{error} ({before})", hint=error.hint) from error


@dataclass(frozen=True, slots=True)
class ResumePlan:
    """The file that was interrupted, and what is said of how far it has come; see `plan_resume`."""

    dsn: str
    standing: Standing
    migration: Migration
    operation: str  # apply or rollback
    from_statement: int | None  # what comes before it is in, and nothing else is; None: the database tells


async def plan_resume(
    dsn: str, migrations: Sequence[Migration], lock: LockFile | None, *, from_statement: int | None = None
) -> ResumePlan | None:
    """Return what would be brought to its end; None when nothing was interrupted."""
    known = await standing(dsn, migrations, lock)
    if not (halves := known.ledger.interrupted):
        if from_statement is not None:
            raise ConfigError("no migration was interrupted", hint="healthd status")
        return None
    half = halves[0]
    migration = next((one for one in migrations if one.id == half.id), None)
    if migration is None:
        raise MigrationFailed(
            f"{half.id} was interrupted ({half.words}), and its file is gone; nothing was changed",
            hint="bring its file back",
        )
    return ResumePlan(dsn, known, migration, half.operation, from_statement)


async def execute_resume(plan: ResumePlan, manner: Manner) -> tuple[str, ...]:
    """Bring the file to its end, and return its migration's id; nothing when others were quicker."""
    return await asyncio.to_thread(_resume, plan, manner, dry_run=False)


async def rehearse_resume(plan: ResumePlan, manner: Manner) -> tuple[str, ...]:
    """Say what of the file is in and what would be done, and do nothing."""
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
    """Plan and bring to its end what was interrupted, with a look at nothing but the ledger; see `plan_resume`."""
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
                return ()  # others were quicker
            if plan.from_statement is None:
                raise nontransactional.contradicted(job)
            if marked and not dry_run:
                backend.unmark_one(theirs, log=False)  # it is marked again at its end
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

    Last is last in the order of the files: what depends on another goes before it, whenever it was applied.
    """
    known = await standing(dsn, migrations, lock)
    if lost := ahead(known.migrations):
        raise MigrationFailed(f"{lost}; nothing was changed", hint="bring its files back")
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
    """Plan and roll back at once, with a look at nothing but the ledger; see `plan_rollback` and `execute`."""
    plan = await plan_rollback(dsn, migrations, lock, to=to, every=every)
    return await execute(plan, Manner(say, live, wait_s, patience, recorder))


def _up_to_it(undone: Sequence[Migration], first: Migration) -> str:
    """Return how to roll back those that come before one that cannot be; nothing when none does."""
    return f"; or those after it: healthd rollback --to {first.id}" if first is not undone[0] else ""


def _undo(plan: RunPlan, manner: Manner) -> tuple[str, ...]:
    from healthd.migrations.engine.yoyo_backend import check, yoyo_migration

    for migration in plan.migrations:
        check(migration.rollback or "", migration.rollback_path, transactional=migration.transactional)
    done: list[str] = []
    with _opened(plan.dsn, manner) as backend:
        applied = set(backend.get_applied_migration_hashes())  # others may have been quicker
        for migration in plan.migrations:
            theirs = yoyo_migration(migration)
            if theirs.hash not in applied:
                continue
            with _telling("rolled back", done):
                backend.rollback_one(theirs)
            done.append(migration.id)
            manner.say(f"rolled back {migration.id}")
    return tuple(done)

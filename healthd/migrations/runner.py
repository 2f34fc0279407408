"""Change one database: apply what is pending, roll back what was applied, and say what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from healthd.database.connection import connect
from healthd.database.ledger import Ledger, read_ledger
from healthd.errors import ConfigError, DatabaseFailed, MigrationFailed
from healthd.migrations.files import Migration, read_post_apply
from healthd.migrations.lockfile import LockFile
from healthd.migrations.status import states
from healthd.model import MigrationState, State

Say = Callable[[str], None]
Guard = Callable[[Sequence[Migration], Ledger], Awaitable[None]]


async def nobody(_chosen: Sequence[Migration], _ledger: Ledger) -> None:
    """Let everything pass."""


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
    return Standing(tuple(states(files, locked, ledger.applied)), ledger, maintenance, version)


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
    guard: Guard = nobody,
) -> tuple[str, ...]:
    """Apply what is pending, up to and with `to`, and return the ids; nothing is locked when nothing is.

    The post-apply*.sql beside the migrations run after those that were applied, as yoyo has it.
    Raises MigrationFailed before anything is changed when an applied file was edited, or when a pending one
    is older than an applied one, unless that is allowed. `guard` is given what is about to be applied, and may
    raise before anything is changed.
    """
    known = await standing(dsn, migrations, lock)
    chosen = _up_to(migrations, to)
    if (edited := known.ids(State.EDITED)) and not allow_edited:
        raise MigrationFailed(
            f"edited after it was applied: {', '.join(edited)}; nothing was changed",
            hint="bring the file back and write a new migration, or --allow-edited",
        )
    names = [one.id for one in chosen]
    if (late := [one for one in known.ids(State.OUT_OF_ORDER) if one in names]) and not allow_out_of_order:
        raise MigrationFailed(
            f"older than what is applied: {', '.join(late)}; nothing was changed",
            hint="rename it to come last, or --allow-out-of-order",
        )
    pending = [one for one in chosen if one.id in known.ids(State.PENDING, State.OUT_OF_ORDER)]
    if not pending:
        return ()
    await guard(pending, known.ledger)
    afterwards = read_post_apply(dict.fromkeys(one.path.parent for one in migrations))
    return await asyncio.to_thread(_apply, dsn, pending, afterwards, wait_s, say)


def _apply(
    dsn: str, pending: Sequence[Migration], afterwards: Sequence[Migration], wait_s: float, say: Say
) -> tuple[str, ...]:
    from healthd.migrations.backend import check, opened, yoyo_migration  # yoyo costs 60 ms: not for who only looks

    for migration in (*pending, *afterwards):
        check(migration.apply, migration.path, transactional=migration.transactional)
    done: list[str] = []
    with opened(dsn, wait_s=wait_s) as backend:
        applied = set(backend.get_applied_migration_hashes())  # others may have been quicker
        for migration in pending:
            theirs = yoyo_migration(migration)
            if theirs.hash in applied:
                continue
            with _telling("applied", done):
                backend.apply_one(theirs)
            done.append(migration.id)
            say(f"applied {migration.id}")
        for migration in afterwards if done else ():
            with _telling("applied", done):
                backend.apply_one(yoyo_migration(migration), mark=False)
            say(f"ran {migration.id}")
    return tuple(done)


@contextmanager
def _telling(what: str, done: Sequence[str]) -> Iterator[None]:
    """Say, when the block fails, what was done before it: that stays."""
    try:
        yield
    except (MigrationFailed, DatabaseFailed) as error:
        before = f"{what} before it: {', '.join(done)}" if done else f"none was {what} before it"
        raise MigrationFailed(f"{error} ({before})", hint=error.hint) from error


async def rollback(
    dsn: str,
    migrations: Sequence[Migration],
    lock: LockFile | None,
    *,
    say: Say,
    to: str | None,
    wait_s: float = 60.0,
    guard: Guard = nobody,
) -> tuple[str, ...]:
    """Roll back the last applied migration, or all after `to`, the last first; return their ids.

    Last is last in the order of the files: what depends on another goes before it, whenever it was applied.
    `guard` is given what is about to be rolled back, and may raise before anything is changed.
    """
    known = await standing(dsn, migrations, lock)
    if lost := known.ids(State.MISSING, State.UNKNOWN):
        raise MigrationFailed(
            f"applied, but the files do not have it: {', '.join(lost)}; nothing was changed",
            hint="bring its files back",
        )
    applied = known.ids(State.APPLIED, State.EDITED)
    keep = [one.id for one in _up_to(migrations, to)] if to else list(applied[:-1])
    undone = [one for one in reversed(migrations) if one.id in applied and one.id not in keep]
    for migration in undone:
        if migration.rollback is None:
            raise MigrationFailed(
                f"{migration.id} has no rollback; nothing was changed",
                hint=f"write {migration.rollback_path.name}",
            )
    if not undone:
        return ()
    await guard(undone, known.ledger)
    return await asyncio.to_thread(_undo, dsn, undone, wait_s, say)


def _undo(dsn: str, undone: Sequence[Migration], wait_s: float, say: Say) -> tuple[str, ...]:
    from healthd.migrations.backend import check, opened, yoyo_migration

    for migration in undone:
        check(migration.rollback or "", migration.rollback_path, transactional=migration.transactional)
    done: list[str] = []
    with opened(dsn, wait_s=wait_s) as backend:
        applied = set(backend.get_applied_migration_hashes())  # others may have been quicker
        for migration in undone:
            theirs = yoyo_migration(migration)
            if theirs.hash not in applied:
                continue
            with _telling("rolled back", done):
                backend.rollback_one(theirs)
            done.append(migration.id)
            say(f"rolled back {migration.id}")
    return tuple(done)


def _up_to(migrations: Sequence[Migration], to: str | None) -> tuple[Migration, ...]:
    if to is None:
        return tuple(migrations)
    names = [one.id for one in migrations]
    if to not in names:
        raise ConfigError(f"no migration is called {to!r}", hint=f"the last one is {names[-1]}")
    return tuple(migrations[: names.index(to) + 1])

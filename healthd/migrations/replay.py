"""Run sql/ on a throw-away server and measure what each migration does, and whether its rollback undoes it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from healthd import embedded
from healthd.database.connection import connect, rows_of
from healthd.database.reading import take_snapshot_after
from healthd.errors import HealthdError, MigrationFailed
from healthd.judging.judge import one_line, sides, where_they_differ
from healthd.judging.roles import for_comparison
from healthd.migrations.files import Migration
from healthd.migrations.lockfile import Locked, LockFile, counted_out
from healthd.migrations.locks import UNKNOWN, Step
from healthd.migrations.measure import measure
from healthd.migrations.session import GIVES
from healthd.model import Difference, Snapshot, diff, quote

SCRATCH, COPY = "replay", "replay_copy"
ROLES = "SELECT r.rolname FROM pg_catalog.pg_roles AS r WHERE r.oid >= 16384"
NOW = re.compile(r"'(?:now|today|tomorrow|yesterday)'", re.IGNORECASE)
# What belongs to a database and stays behind when it is copied: its settings, its privileges, its subscriptions.
NOT_COPIED = """
    SELECT FROM pg_catalog.pg_database AS d
     WHERE d.datname = pg_catalog.current_database()
       AND (d.datacl IS NOT NULL
            OR EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS s WHERE s.setdatabase = d.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_shseclabel AS l WHERE l.objoid = d.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_shdescription AS c WHERE c.objoid = d.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_replication_slots AS s WHERE s.database = d.datname)
            OR EXISTS (SELECT FROM pg_catalog.pg_subscription AS s WHERE s.subdbid = d.oid))"""


async def replay(migrations: Sequence[Migration], *, postgres_bin: Path | None = None) -> LockFile:
    """Return the lock file that these migrations make, measured on a server of its own.

    Raises MigrationFailed for a file that fails, or that does not build the same schema twice.
    """
    with embedded.temporary(binaries=postgres_bin) as server:
        scratch = _Scratch(server)
        async with scratch.open:
            await scratch.start(())
            base = await scratch.snapshot()
            locked: list[Locked] = []
            clean = base
            for position, migration in enumerate(migrations):
                one, clean = await _measure(scratch, clean, migrations[:position], migration)
                locked.append(one)
            lock = LockFile(base.server_version // 10000 * 10000, base.objects, tuple(locked))
            if any(one.rollback == "missing" for one in locked):
                await _again(scratch, migrations, lock)
            await scratch.start(())
            steps = [await scratch.measure(migrations[:number], one) for number, one in enumerate(migrations)]
            measured = tuple(replace(one, steps=of) for one, of in zip(locked, steps, strict=True))
            return counted_out(replace(lock, migrations=measured))


async def replay_on(migrations: Sequence[Migration], lock: LockFile, folder: Path) -> LockFile:
    """Return what the migrations of a lock file make on a server with the programs in this folder.

    Only their effects are measured there; the rest is the lock file's.
    """
    with embedded.temporary(binaries=folder) as server:
        scratch = _Scratch(server)
        async with scratch.open:
            await scratch.start(())
            before = base = await scratch.snapshot()
            locked: list[Locked] = []
            for migration, one in zip(migrations, lock.migrations, strict=True):
                try:
                    await scratch.apply(migration)
                except MigrationFailed as error:
                    where = f"on PostgreSQL {base.server_version // 10000}"
                    raise MigrationFailed(f"{where}: {error}", hint=error.hint) from error
                after = await scratch.snapshot(before)
                locked.append(replace(one, effects=diff(before, after, exact=True), digests=None))
                before = after
            return counted_out(LockFile(base.server_version // 10000 * 10000, base.objects, tuple(locked)))


async def _measure(
    scratch: _Scratch, clean: Snapshot, before: Sequence[Migration], migration: Migration
) -> tuple[Locked, Snapshot]:
    """Apply one migration, prove its rollback, and leave it applied; return what it did, and what is there then."""
    await scratch.apply(migration)
    applied = await scratch.snapshot(clean)
    verdict, left = await _rollback(scratch, migration, clean)
    if verdict == "exact":
        await scratch.apply(migration)
    elif verdict != "missing":
        await scratch.start((*before, migration))
    if verdict != "missing":
        _same(migration, applied, await scratch.snapshot(applied))
    locked = Locked(
        migration.id,
        migration.digest,
        migration.rollback_digest,
        migration.transactional,
        diff(clean, applied, exact=True),
        verdict,
        tuple(sorted({str(one.key) for one in left})),
    )
    return locked, applied


async def _again(scratch: _Scratch, migrations: Sequence[Migration], lock: LockFile) -> None:
    """Apply everything a second time: what has no rollback was applied only once."""
    await scratch.start(())
    for position, migration in enumerate(migrations):
        await scratch.apply(migration)
        if lock.migrations[position].rollback == "missing":
            expected = lock.expected(one.id for one in lock.migrations[: position + 1])
            _same(migration, expected, await scratch.snapshot(expected))


def _same(migration: Migration, once: Snapshot, again: Snapshot) -> None:
    if differences := diff(once, again, exact=True):
        raise MigrationFailed(
            f"{migration.id} does not build the same schema twice: {_listed(differences)}",
            hint="take what depends on chance or time out" + _now(migration.apply),
        )


def _listed(differences: Sequence[Difference], most: int = 5) -> str:
    """Return the first few differences of two builds, each with both values, and how many more there are."""
    more = [f"and {len(differences) - most} more"] if len(differences) > most else []
    return "; ".join([*map(_both, differences[:most]), *more])


def _both(difference: Difference) -> str:
    if difference.attribute is None:
        return f"{difference.key} was made only the {'first' if difference.missing else 'second'} time"
    first, second = map(one_line, where_they_differ(*sides(difference)))
    return f"{difference.key} {difference.attribute} was {first!r}, then {second!r}"


def _now(text: str) -> str:
    """Return words about a literal that is read when its statement runs; nothing where there is none."""
    found = NOW.search(text)
    return f"; line {text.count(chr(10), 0, found.start()) + 1}: {found[0]} is read once, write now()" if found else ""


async def _rollback(scratch: _Scratch, migration: Migration, clean: Snapshot) -> tuple[str, tuple[Difference, ...]]:
    """Return the verdict on a rollback, and what it left different."""
    if migration.rollback is None:
        return "missing", ()
    try:
        await scratch.roll_back(migration)
    except MigrationFailed:
        return "fails", ()
    left = diff(clean, await scratch.snapshot(clean), exact=True)
    return ("differs", left) if left else ("exact", ())


class _Scratch:
    """A database that may be thrown away at any time, on a server that nobody else uses."""

    def __init__(self, server: embedded.Server) -> None:
        # Without options, lest PGOPTIONS of whoever replays decide what the files make.
        self.url, self.administrator, self.binaries = f"{server.url(SCRATCH)}&options=", server.url(), server.bin
        self.open = AsyncExitStack()
        self.connection: Any = None
        self.roles: list[str] = []  # that migrations name and none of them makes
        self.kept: tuple[Migration, ...] = ()  # what the copy was made after

    async def start(self, migrations: Sequence[Migration]) -> None:
        """Begin again with an empty database and these migrations, or with the copy and those that it lacks."""
        await self.open.aclose()
        if tuple(migrations[: len(self.kept)]) != self.kept:
            self.kept = ()
        async with connect(self.administrator) as connection:
            await connection.execute(f"DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)")
            if not self.kept:
                await connection.execute(f"DROP DATABASE IF EXISTS {COPY}")
            # Roles belong to the server: those that migrations have made would be met by them again.
            there = {role for (role,) in await rows_of(connection, ROLES)}
            for role in there.difference(self.roles if self.kept else ()):
                await connection.execute(f"DROP ROLE {quote(role)}".encode())
            for role in self.roles if not self.kept else set(self.roles) - there:
                await connection.execute(f"CREATE ROLE {quote(role)}".encode())
            await connection.execute(f"CREATE DATABASE {SCRATCH} TEMPLATE {COPY if self.kept else 'template0'}")
        self.connection = await self.open.enter_async_context(connect(self.url))
        for migration in migrations[len(self.kept) :]:
            await self.apply(migration)
        if migrations:
            await self._keep(tuple(migrations))

    async def _keep(self, migrations: tuple[Migration, ...]) -> None:
        """Copy the database, so that the next start need not apply these again; not what a copy would not hold."""
        own = {role for (role,) in await rows_of(self.connection, ROLES)}.difference(self.roles)
        if own or await rows_of(self.connection, NOT_COPIED):
            return
        await self.open.aclose()
        async with connect(self.administrator) as connection:
            await connection.execute(f"DROP DATABASE IF EXISTS {COPY}")
            await connection.execute(f"CREATE DATABASE {COPY} TEMPLATE {SCRATCH}")
        self.kept = migrations
        self.connection = await self.open.enter_async_context(connect(self.url))

    async def snapshot(self, known: Snapshot | None = None) -> Snapshot:
        """Return what is there; of what was `known` only the kinds that have changed are read again."""
        user = self.connection.info.user
        taken = await take_snapshot_after(self.connection, known or Snapshot(0, {}), migrator=user)
        for kind, reason in taken.unreadable.items():
            raise MigrationFailed(f"cannot measure: {kind} objects cannot be read: {reason}")
        return for_comparison(taken, user)

    async def apply(self, migration: Migration) -> None:
        """Apply a migration as the runner does; a role that it names is made when it is not there."""
        try:
            await asyncio.to_thread(_run, self.url, migration, "apply_one")
        except MigrationFailed as error:
            if extension := re.search(r'extension "([^"]+)" is not available', str(error)):
                raise MigrationFailed(
                    str(error),
                    hint=f"PostgreSQL in {self.binaries} comes without {extension[1]}: name another one in yoyo.ini, "
                    "[healthd] postgres_bin = /usr/lib/postgresql/17/bin",
                    sqlstate=error.sqlstate,
                ) from error
            role = re.search(r'role "([^"]+)" does not exist', str(error))
            if role is None:
                raise
            await self.connection.execute(f"CREATE ROLE {quote(role[1])}")
            self.roles.append(role[1])
            await self.apply(migration)

    async def measure(self, before: Sequence[Migration], migration: Migration) -> tuple[Step, ...]:
        """Apply a migration after those before it and return its steps.

        One whose statements do not run alone is one step, and one that only the runner can apply is not measured.
        """
        for whole in (False, True) if migration.transactional else (False,):
            with contextlib.suppress(HealthdError):
                steps = await measure(self.connection, migration, whole=whole)
                if GIVES.search(migration.apply):  # the next file meets a new session, as it does in a run
                    await self.open.aclose()
                    self.connection = await self.open.enter_async_context(connect(self.url))
                return steps
        await self.start((*before, migration))
        return (Step(1, known=UNKNOWN),)

    async def roll_back(self, migration: Migration) -> None:
        await asyncio.to_thread(_run, self.url, migration, "rollback_one")


def _run(url: str, migration: Migration, verb: str) -> None:
    from healthd.migrations.backend import opened, yoyo_migration  # yoyo costs 60 ms

    # How far an index of a throw-away server is interests nobody.
    with opened(url, wait_s=10.0, live=lambda _words: None) as backend:
        getattr(backend, verb)(yoyo_migration(migration))

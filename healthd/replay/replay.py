"""Run sql/ on a scratch server and measure what each migration does, and whether its rollback undoes it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from healthd.comparison.judgement import one_line, sides, where_they_differ
from healthd.errors import HealthdError, MigrationFailed
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile, counted_out
from healthd.expected.measurements import UNKNOWN, Step
from healthd.expected.session_settings import GIVES
from healthd.migrations.engine.lock_waits import Say
from healthd.model.snapshots import Difference, Snapshot, diff
from healthd.replay.measurement import measure
from healthd.replay.scratch import Global, Scratch, scratch_on

OF_THE_SERVER = ("53", "57")  # not the fault of a rollback: insufficient resources, shutdown
NOW = re.compile(r"'(?:now|today|tomorrow|yesterday)'", re.IGNORECASE)


def nobody(_text: str) -> None:
    """Print nothing."""


async def replay(migrations: Sequence[Migration], *, postgres_bin: Path | None = None, say: Say = nobody) -> LockFile:
    """Return the lock file of these migrations, measured on a scratch server; `say` receives what went wrong.

    Raises MigrationFailed for a file that fails, or that does not build the same schema twice.
    """
    async with scratch_on(postgres_bin, say) as scratch:
        await scratch.refuse_unavailable(migrations)
        base = await scratch.snapshot()
        locked: list[Locked] = []
        clean = base
        for position, migration in enumerate(migrations):
            one, clean = await _measure(scratch, clean, migrations[:position], migration)
            locked.append(one)
        lock = LockFile(base.server_version // 10000 * 10000, base.objects, tuple(locked))
        if any(one.rollback == "missing" for one in locked):
            await _again(scratch, migrations, lock)
        await scratch.start()
        steps = [await _steps(scratch, migrations[:number], one) for number, one in enumerate(migrations)]
        measured = tuple(replace(one, steps=of) for one, of in zip(locked, steps, strict=True))
        return counted_out(replace(lock, migrations=measured, needed=tuple(scratch.needed)))


async def replay_on(migrations: Sequence[Migration], lock: LockFile, folder: Path) -> LockFile:
    """Return what the migrations of a lock file create on a server with the programs in this folder.

    Only their effects are measured there; the rest is taken from the lock file.
    """
    async with scratch_on(folder, nobody) as scratch:
        await scratch.refuse_unavailable(migrations)
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
    scratch: Scratch, clean: Snapshot, before: Sequence[Migration], migration: Migration
) -> tuple[Locked, Snapshot]:
    """Apply one migration, prove its rollback, and leave it applied; return its effects, and the snapshot after it."""
    server = await scratch.server_state()
    await scratch.apply(migration)
    applied = await scratch.snapshot(clean)
    verdict, left = await _rollback(scratch, migration, clean)
    if verdict == "exact":
        verdict, left = await _apply_again(scratch, before, migration, server)
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
        left,
    )
    return locked, applied


async def _apply_again(
    scratch: Scratch, before: Sequence[Migration], migration: Migration, server: frozenset[Global]
) -> tuple[str, tuple[str, ...]]:
    """Apply again what was rolled back exactly; return the final verdict, and what was left on the server itself.

    A role or a database that a rollback leaves is no difference in this database, and other databases may share it.
    It is reported only if the file then cannot be applied again.
    """
    left = (await scratch.server_state()) - server
    try:
        await scratch.apply(migration)
    except MigrationFailed:
        if not left:
            raise
        await scratch.start((*before, migration))
        return "differs", tuple(sorted({f"{kind}:{name}" for kind, name, _ in left}))
    return "exact", ()


async def _again(scratch: Scratch, migrations: Sequence[Migration], lock: LockFile) -> None:
    """Apply everything a second time: a migration without a rollback was applied only once."""
    await scratch.start()
    for position, migration in enumerate(migrations):
        await scratch.apply(migration)
        if lock.migrations[position].rollback == "missing":
            expected = lock.expected(one.id for one in lock.migrations[: position + 1])
            _same(migration, expected, await scratch.snapshot(expected))


def _same(migration: Migration, once: Snapshot, again: Snapshot) -> None:
    if differences := diff(once, again, exact=True):
        raise MigrationFailed(
            f"{migration.id} does not build the same schema twice: {_listed(differences)}",
            hint="remove what depends on random values or the current time" + _now(migration.apply),
        )


def _listed(differences: Sequence[Difference], most: int = 5) -> str:
    """Return the first few differences of two builds, each with both values, and how many more there are."""
    more = [f"and {len(differences) - most} more"] if len(differences) > most else []
    return "; ".join([*map(_both, differences[:most]), *more])


def _both(difference: Difference) -> str:
    if difference.attribute is None:
        return f"{difference.key} was created only the {'first' if difference.missing else 'second'} time"
    first, second = map(one_line, where_they_differ(*sides(difference)))
    return f"{difference.key} {difference.attribute} was {first!r}, then {second!r}"


def _now(text: str) -> str:
    """Return words about a literal that is evaluated when its statement runs; an empty text without one."""
    found = NOW.search(text)
    return f"; line {text.count(chr(10), 0, found.start()) + 1}: use now() instead of {found[0]}" if found else ""


async def _rollback(scratch: Scratch, migration: Migration, clean: Snapshot) -> tuple[str, tuple[str, ...]]:
    """Return the verdict on a rollback, and the objects that differ after it."""
    if migration.rollback is None:
        return "missing", ()
    try:
        await scratch.roll_back(migration)
    except MigrationFailed as error:
        if (error.sqlstate or "")[:2] in OF_THE_SERVER:
            raise
        scratch.say(f"the rollback fails: {error}")
        return "fails", ()
    left = diff(clean, await scratch.snapshot(clean), exact=True)
    return ("differs", tuple(sorted({str(one.key) for one in left}))) if left else ("exact", ())


async def _steps(scratch: Scratch, before: Sequence[Migration], migration: Migration) -> tuple[Step, ...]:
    """Apply a migration after those before it and return its steps.

    A migration whose statements cannot run one by one is one step. One that only the runner can apply is not measured.
    """
    for whole in (False, True) if migration.transactional else (False,):
        with contextlib.suppress(HealthdError):
            steps = await measure(scratch.connection, migration, whole=whole)
            if GIVES.search(migration.apply):  # the next file runs in a new session, as it does in a run
                await scratch.begin_session()
            return steps
    await scratch.start((*before, migration))
    return (Step(1, known=UNKNOWN),)

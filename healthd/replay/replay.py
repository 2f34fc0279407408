"""Run sql/ on a scratch server and measure what each migration does, and whether its rollback undoes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from healthd.comparison.judgement import message, one_line, sides, where_they_differ
from healthd.errors import MigrationFailed
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile, counted_out, fold
from healthd.expected.lockfile_text import linked
from healthd.expected.measurements import Step
from healthd.migrations.engine.lock_waits import Say
from healthd.model.snapshots import Difference, Snapshot, diff
from healthd.postgres import embedded
from healthd.replay.mirror import Mirror
from healthd.replay.observed_changes import Look, Overlooked
from healthd.replay.proven_prefix import known_prefix
from healthd.replay.scratch import Each, Scratch, State, nothing, scratch_on
from healthd.replay.server_state import Global
from healthd.replay.steps import unmeasured

LARGE = 50_000  # characters of a file that may take more locks than most
OUT_OF_LOCKS = "53200"
OF_THE_SERVER = ("53", "57")  # not the fault of a rollback: insufficient resources, shutdown
NOW = re.compile(r"'(?:now|today|tomorrow|yesterday)'", re.IGNORECASE)


async def replay(
    migrations: Sequence[Migration],
    *,
    known: LockFile | None = None,
    postgres_bin: Path | None = None,
    say: Say = nothing,
    each: Each = nothing,
) -> LockFile:
    """Return the lock file of these migrations, measured on a scratch server; `say` receives what went wrong.

    What a `known` lock file contains of the first migrations, as far as neither they nor its records were changed
    since they were measured, is taken from it if they create on an empty server what the records add up to; `each`
    receives what is being done, for a progress line.
    Raises MigrationFailed for a file that fails, or that does not build the same schema twice.
    """
    on = partial(_replay_on, migrations, known, postgres_bin, say, each)
    if all(len(one.apply) + len(one.rollback or "") < LARGE for one in migrations):
        try:
            return await on(embedded.FEW_LOCKS)
        except MigrationFailed as error:
            if error.sqlstate != OUT_OF_LOCKS:
                raise
    return await on({})


async def _replay_on(
    migrations: Sequence[Migration],
    known: LockFile | None,
    postgres_bin: Path | None,
    say: Say,
    each: Each,
    settings: Mapping[str, str],
) -> LockFile:
    """Return what `replay` returns, measured on a server with these settings."""
    async with scratch_on(postgres_bin, say, settings) as scratch:
        await scratch.refuse_unavailable(migrations)
        base = await scratch.state()
        lock = LockFile(base.snapshot.server_version // 10000 * 10000, base.snapshot.objects, ())
        prefix = await known_prefix(scratch, migrations, lock, known, each) if known is not None else None
        lock, state = prefix or (lock, base)
        with suppress(Overlooked):
            return await _all(scratch, migrations, lock, state, each, quick=True)
        say("reading only what each file touched was not enough: all of them are measured again")
        await scratch.start_over()
        await scratch.apply_unrecorded(migrations[: len(lock.migrations)])
        return await _all(scratch, migrations, lock, state, each, quick=False)


async def _all(
    scratch: Scratch, migrations: Sequence[Migration], lock: LockFile, clean: State, each: Each, *, quick: bool
) -> LockFile:
    """Return a lock file with what it lacks of the migrations; the database contains those that it has.

    If it is `quick`, after each migration only what it has touched is read; then everything is read at the end. Raises
    Overlooked if something was.
    """
    first = len(lock.migrations)
    if first == len(migrations):
        return replace(lock, needed=tuple(scratch.needed))
    locked: list[Locked] = list(lock.migrations)
    measured: dict[str, tuple[Step, ...]] = {}
    mirror = Mirror(clean)
    for position in range(first, len(migrations)):
        each(f"measure {position + 1} of {len(migrations)}: {migrations[position].id}")
        look = Look(scratch, mirror, migrations[position], quick=quick)
        one, mirror, steps = await _measure(scratch, look, migrations[:position], migrations[position])
        locked.append(one)
        if steps is not None:
            measured[one.id] = steps
    await scratch.reader.forget()
    lock = replace(lock, migrations=tuple(locked))
    if quick and diff(mirror.state.snapshot, (await scratch.state()).snapshot, exact=True):
        raise Overlooked
    if any(one.rollback == "missing" for one in lock.migrations[first:]):
        await _again(scratch, migrations, lock, first, each)
    if any(one.id not in measured for one in lock.migrations[first:]):
        measured |= await unmeasured(scratch, migrations[:first], migrations[first:], measured, each)
    known = (replace(one, steps=measured[one.id]) if one.id in measured else one for one in lock.migrations)
    return linked(counted_out(replace(lock, migrations=tuple(known), needed=tuple(scratch.needed))))


async def _measure(
    scratch: Scratch, look: Look, before: Sequence[Migration], migration: Migration
) -> tuple[Locked, Mirror, tuple[Step, ...] | None]:
    """Apply one migration, prove its rollback, and leave it applied.

    Returns its record, the state after it, and its steps if they could be measured when it was applied again.
    """
    server = await scratch.server_state()
    await look.begin()
    await look.apply()
    effects = await look.differences()
    verdict, left = await _rollback(scratch, look, migration)
    steps = None
    if verdict == "exact":
        verdict, left, steps = await _apply_again(scratch, look, before, migration, server)
    elif verdict != "missing" or not look.certain:
        await _start(scratch, look, before)
        await look.make_certain()
        await scratch.apply(migration)
    again = effects if verdict == "missing" else await look.differences()
    if steps is not None and effects != again:  # measured, it was several messages
        await _start(scratch, look, (*before, migration))
        steps, again = None, await look.differences()
    if effects != again and look.certain:
        _same(migration, *look.states(effects, again))
    if effects != again:
        raise Overlooked
    locked = Locked(
        migration.id,
        migration.digest,
        migration.rollback_digest,
        migration.transactional,
        effects,
        verdict,
        left,
    )
    return locked, look.after(effects), steps


async def _start(scratch: Scratch, look: Look, migrations: Sequence[Migration]) -> None:
    """Start again with these migrations; from now on everything is read."""
    await look.give_up()
    await scratch.start(migrations)


async def _apply_again(
    scratch: Scratch, look: Look, before: Sequence[Migration], migration: Migration, server: frozenset[Global]
) -> tuple[str, tuple[str, ...], tuple[Step, ...] | None]:
    """Apply again what was rolled back exactly; return the final verdict, what was left on the server itself, and the
    steps if they were measured.

    A role or a database that a rollback leaves is no difference in this database, and other databases may share it.
    It is reported only if the file then cannot be applied again.
    """
    left = (await scratch.server_state()) - server
    try:
        if (steps := await look.measure()) is None:
            await scratch.apply(migration)
    except MigrationFailed:
        if not left:
            raise
        await _start(scratch, look, (*before, migration))
        return "differs", tuple(sorted({f"{kind}:{name}" for kind, name, _ in left})), None
    return "exact", (), steps


async def _again(scratch: Scratch, migrations: Sequence[Migration], lock: LockFile, first: int, each: Each) -> None:
    """Apply everything a second time: a migration without a rollback was applied only once."""
    await scratch.start()
    await scratch.apply_unrecorded(migrations[:first])
    state: State | None = None
    expected = dict(lock.expected(one.id for one in lock.migrations[:first]).objects)
    for migration, one in zip(migrations[first:], lock.migrations[first:], strict=True):
        each(f"apply {migration.id} a second time")
        await scratch.apply(migration)
        for effect in one.effects:
            fold(expected, effect)
        if one.rollback == "missing":
            state = await scratch.state(state)
            _same(migration, Snapshot(lock.server_version, expected), state.snapshot)


def _same(migration: Migration, once: Snapshot, again: Snapshot) -> None:
    if differences := diff(once, again, exact=True):
        raise MigrationFailed(
            f"{migration.id} does not build the same schema twice: {_listed(differences, _both)}",
            hint="remove what depends on random values or the current time" + _now(migration.apply),
        )


def _listed(differences: Sequence[Difference], words: Callable[[Difference], str], most: int = 5) -> str:
    """Return the first few differences in words, and how many more there are."""
    more = [f"and {len(differences) - most} more"] if len(differences) > most else []
    return "; ".join([*map(words, differences[:most]), *more])


def _both(difference: Difference) -> str:
    """Return the difference of two builds, with both values."""
    if difference.attribute is None:
        return f"{difference.key} was created only the {'first' if difference.missing else 'second'} time"
    first, second = map(one_line, where_they_differ(*sides(difference)))
    return f"{difference.key} {difference.attribute} was {first!r}, then {second!r}"


def _now(text: str) -> str:
    """Return words about a literal that is evaluated when its statement runs; an empty text without one."""
    found = NOW.search(text)
    return f"; line {text.count(chr(10), 0, found.start()) + 1}: use now() instead of {found[0]}" if found else ""


async def _rollback(scratch: Scratch, look: Look, migration: Migration) -> tuple[str, tuple[str, ...]]:
    """Return the verdict on a rollback, and the objects that differ after it."""
    if migration.rollback is None:
        return "missing", ()
    try:
        await look.roll_back()
    except MigrationFailed as error:
        if (error.sqlstate or "")[:2] in OF_THE_SERVER:
            raise
        scratch.say(f"the rollback fails: {error}")
        return "fails", ()
    left = await look.differences()
    if not left:
        return "exact", ()
    scratch.say(f"{migration.id}: after its rollback {_listed(left, _left)}")
    return "differs", tuple(sorted({str(one.key) for one in left}))


def _left(difference: Difference) -> str:
    return f"{difference.key} remains" if difference.unexpected else message(difference)

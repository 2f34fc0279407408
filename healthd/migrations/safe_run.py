"""Change one database safely: examine it first, refuse unsafe runs, and prove the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from healthd.config.settings import Target
from healthd.database.held_connection import HeldConnection, lent
from healthd.database.probes.surroundings import look_around
from healthd.database.row_counts import losses
from healthd.errors import MigrationFailed
from healthd.expected.effects import decode_all
from healthd.expected.files import Migration
from healthd.expected.store import Files
from healthd.migrations import guards
from healthd.migrations.adopted import already_there, in_the_way, mark
from healthd.migrations.database_state import Look, look
from healthd.migrations.engine.lock_waits import Say
from healthd.migrations.engine.text_recorder import Recorder
from healthd.migrations.execution import execute, execute_resume, rehearse_resume
from healthd.migrations.impact import Break, Foreseen, foresee, foresee_undoing
from healthd.migrations.missing_files import Completed, completed
from healthd.migrations.needs import Lack, lacks
from healthd.migrations.proof import prove
from healthd.migrations.refusals import elsewhere, elsewhere_undoing, unlocked
from healthd.migrations.run_options import RunOptions
from healthd.migrations.run_plan import RunPlan, plan_apply, plan_resume, plan_rollback

if TYPE_CHECKING:
    from healthd.expected.lockfile import LockFile


@dataclass(frozen=True, slots=True)
class Changed:
    """What a run changed; `unproven` states, in words, what could not be proven, `breaks` what was allowed.

    `marked` are adopted migrations whose changes were already there: they are recorded, and were not run.
    `copied` are migrations without files, which were rolled back with the copies that the ledger kept.
    """

    ids: tuple[str, ...]
    unproven: tuple[str, ...] = ()
    breaks: tuple[Break, ...] = ()
    marked: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()


async def migrate(
    target: Target,
    migrations: Sequence[Migration],
    lock: LockFile,
    options: RunOptions,
    *,
    to: str | None = None,
    allow_out_of_order: bool = False,
    allow_edited: bool = False,
    allow_ahead: bool = False,
    allow_drift: bool = False,
    allow_unlocked: bool = False,
    allow_breaking: bool = False,
    name: str = "schema.lock",
) -> Changed:
    """Apply the pending migrations, and prove that the database then matches the lock file.

    Raises MigrationFailed before anything is changed if the database has drifted, if the lock file does not match the
    files to be applied, or if they break an expectation of the target's contracts, unless that is allowed; and
    afterwards, if the run had another result. See `plan_apply` for what else is refused.
    """
    files, recorder = Files.of(lock, migrations), Recorder(lock)
    async with HeldConnection(target.dsn) as held:
        planned = partial(
            plan_apply,
            held,
            migrations,
            lock,
            say=options.say,
            to=to,
            allow_out_of_order=allow_out_of_order,
            allow_edited=allow_edited,
            allow_ahead=allow_ahead or allow_drift,
        )
        plan = await planned()
        if not plan.migrations:
            return Changed(())
        pending = frozenset(one.id for one in plan.migrations)
        decode_all(one.effects for one in lock.migrations if one.id in pending)
        applied = [one.id for one in plan.standing.ledger.applied]
        if not allow_unlocked:
            guards.refuse_unmeasured(lock, plan.migrations, applied, name)
        guards.refuse_elsewhere(target.name, await elsewhere(held, lock, plan.migrations))
        guards.refuse_lacks(target.name, await _lacks(held, plan.migrations, lock))
        before = await look(target, files, held)
        there = await already_there(target, held, migrations, lock, plan.migrations, before.found) if applied else None
        if there and not allow_drift:
            guards.refuse_drift(target.name, in_the_way(before, there, plan.migrations), unlocked(lock, applied))
        marked = await mark(target, held, there, lock, wait_s=options.wait_s, say=options.say) if there else ()
        if marked:
            plan, before = await planned(), await look(target, files, held)
            applied += marked
        if not plan.migrations:
            return Changed((), marked=marked)
        with _hinting(_adopting(target, lock, before)):
            if applied and not allow_drift:  # a database without a ledger cannot have drifted
                guards.refuse_drift(target.name, before.drift, unlocked(lock, applied))
            recorder.meet(before.reading)
            snapshot = before.reading.snapshot
            foreseen = foresee(target.contracts, lock, plan.standing.ledger, snapshot, plan.migrations)
            breaks = _agreed(target, foreseen, say=options.say, allow_breaking=allow_breaking)
            done = await _execute(plan, options, recorder, held)
        changed = await _proven(target, files, held, before, done, "applied", breaks=breaks, name=name)
        return replace(changed, marked=marked)


async def _proven(
    target: Target,
    files: Files,
    held: HeldConnection,
    before: Look,
    done: tuple[str, ...],
    what: str,
    *,
    name: str,
    breaks: tuple[Break, ...] = (),
    left: frozenset[str] = frozenset(),
) -> Changed:
    """Return what a run changed, after proving it; empty if another run has done it."""
    if not done:
        return Changed(())
    unproven = await prove(target, files, held, before, f"{', '.join(done)} {what}", left=left, name=name)
    return Changed(done, unproven, breaks)


@contextmanager
def _hinting(first: str) -> Iterator[None]:
    """If the block fails, put a hint before that of the error, unless it is empty."""
    try:
        yield
    except MigrationFailed as error:
        if first:
            raise MigrationFailed(str(error), hint=f"{first}; or {error.hint}" if error.hint else first) from error
        raise


def _adopting(target: Target, lock: LockFile, before: Look) -> str:
    """Return how to adopt a database without a ledger that has objects of the files; empty for any other."""
    if before.reading.ledger.schemas:
        return ""
    there = guards.made_already(lock, before.reading.snapshot.objects)
    return there and f"{target.name} already has {there}, but no ledger: find its version with healthd baseline"


async def _execute(
    plan: RunPlan, options: RunOptions, recorder: Recorder | None, held: HeldConnection
) -> tuple[str, ...]:
    """Execute a plan; the connection that is held is closed for statements that may need the database for themselves.

    It also leaves its place to the run if connections are limited.
    """
    transactional = all(one.transactional for one in (*plan.migrations, *plan.afterwards))
    if not transactional or await held.is_limited():
        await held.close()
    held.rest()
    return await execute(plan, options, recorder)


async def _lacks(held: HeldConnection, pending: Sequence[Migration], lock: LockFile) -> tuple[Lack, ...]:
    async with lent(held) as connection:
        return lacks(pending, lock, await look_around(connection))


def _agreed(target: Target, foreseen: Foreseen, *, say: Say, allow_breaking: bool) -> tuple[Break, ...]:
    """Report the expectations that would be broken, and return them; raise if they prevent the run."""
    for line in foreseen.lines():
        say(line)
    if not allow_breaking:
        guards.refuse_breaks(target.name, foreseen.refuses)
    return foreseen.breaks


async def resume(
    target: Target,
    migrations: Sequence[Migration],
    lock: LockFile,
    options: RunOptions,
    *,
    from_statement: int | None = None,
    dry_run: bool = False,
    name: str = "schema.lock",
) -> Changed:
    """Complete an interrupted file, and prove the result; see `plan_resume`.

    Drift does not prevent this, because a partly applied file is worse. Changes of the file itself are not drift until
    it is complete; so all of them are compared with the lock file afterwards, whenever they were made. With `dry_run`,
    only report what was applied and what would be done.
    """
    async with HeldConnection(target.dsn) as held:
        known = await completed(held, migrations, lock)
        migrations, lock = known.migrations, known.lock
        files, recorder = Files.of(lock, migrations), Recorder(lock)
        plan = await plan_resume(held, migrations, lock, from_statement=from_statement)
        if plan is None:
            return Changed(())
        _say_copied(known, (plan.migration,), options.say)
        if dry_run:
            await rehearse_resume(plan, options, recorder)
            return Changed(())
        before = await look(target, files, held)
        recorder.meet(before.reading)
        undone = {one.id for one in plan.standing.ledger.interrupted if one.operation == "rollback"}
        left = frozenset(guards.left_over(lock.migrations, undone & {plan.migration.id}))
        await held.close()  # the file may need the database for itself
        done = await execute_resume(plan, options, recorder)
        return await _proven(target, files, held, before, done, "resumed", left=left, name=name)


async def rollback(
    target: Target,
    migrations: Sequence[Migration],
    lock: LockFile,
    options: RunOptions,
    *,
    agree: Callable[[Sequence[str]], bool],
    to: str | None = None,
    every: bool = False,
    allow_inexact: bool = False,
    allow_breaking: bool = False,
    name: str = "schema.lock",
) -> Changed:
    """Roll back, and prove that the database then matches the lock file; see `plan_rollback`.

    The ledger's copy stands in for a file that is missing. Raises MigrationFailed before anything is changed if a
    rollback is not proven to restore the previous schema, or breaks an expectation of the target's contracts, unless
    that is allowed; and if rows or values would be lost and `agree`, which receives them, returns false.
    """
    async with HeldConnection(target.dsn) as held:
        known = await completed(held, migrations, lock)
        migrations, lock = known.migrations, known.lock
        files, recorder = Files.of(lock, migrations), Recorder(lock)
        plan = await plan_rollback(held, migrations, lock, to=to, every=every)
        if not plan.migrations:
            return Changed(())
        undone, ledger = plan.migrations, plan.standing.ledger
        copied = _say_copied(known, undone, options.say)
        guards.refuse_stranding(lock, undone)
        guards.refuse_elsewhere(target.name, await elsewhere_undoing(held, lock, undone))
        if not allow_inexact:
            guards.refuse_inexact(lock, undone, ledger.applied)
        before = await look(target, files, held)
        if copied and not allow_inexact:
            guards.refuse_unlike_record(target.name, copied, before.drift)
        recorder.meet(before.reading)
        foreseen = foresee_undoing(target.contracts, lock, ledger, before.reading.snapshot, undone)
        breaks = _agreed(target, foreseen, say=options.say, allow_breaking=allow_breaking)
        lost = await losses(held, guards.may_take(lock, undone, [one.id for one in ledger.applied]))
        held.rest()  # an answer may take long
        if lost and not agree(lost):
            guards.refuse_losses(lost)
        left = frozenset(guards.left_over(lock.migrations, {one.id for one in undone}))
        done = await _execute(plan, options, recorder, held)
        changed = await _proven(target, files, held, before, done, "rolled back", breaks=breaks, left=left, name=name)
        return replace(changed, copied=tuple(one for one in copied if one in done))


def _say_copied(known: Completed, chosen: Sequence[Migration], say: Say) -> tuple[str, ...]:
    """Report which of these migrations have no file here, and return their ids."""
    copied = tuple(one.id for one in chosen if one.id in known.copied)
    if copied:
        say(f"{', '.join(copied)}: not in the files; the copy in the ledger is used")
    return copied

"""Change one database safely: examine it first, refuse unsafe runs, and prove the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from healthd.catalog import KINDS
from healthd.comparison.privileges import held_by_another
from healthd.comparison.roles import for_comparison
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.ledger import Ledger
from healthd.database.probes.surroundings import look_around
from healthd.database.row_counts import losses
from healthd.errors import HealthdError, MigrationFailed
from healthd.expected import default_places
from healthd.expected.files import Migration
from healthd.expected.store import Files
from healthd.migrations import guards
from healthd.migrations.engine.lock_waits import DEFAULT, Patience, Say
from healthd.migrations.engine.text_recorder import Recorder
from healthd.migrations.execution import Manner, execute, execute_resume, rehearse_resume
from healthd.migrations.impact import Break, Foreseen, foresee, foresee_undoing
from healthd.migrations.look import Look, look
from healthd.migrations.needs import Lack, lacks
from healthd.migrations.run_plan import order_refusals, plan_apply, plan_resume, plan_rollback
from healthd.migrations.standing import TO_RUN, Standing, read_session
from healthd.model.findings import Finding, Identity, identity
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.rounds.conclusion import conclude
from healthd.rounds.observation import Observation
from healthd.text import some

if TYPE_CHECKING:
    from healthd.expected.lockfile import LockFile


@dataclass(frozen=True, slots=True)
class Changed:
    """What a run changed; `unproven` states, in words, what could not be proven, `breaks` what was allowed."""

    ids: tuple[str, ...]
    unproven: tuple[str, ...] = ()
    breaks: tuple[Break, ...] = ()


async def migrate(
    target: Target,
    migrations: Sequence[Migration],
    lock: LockFile,
    *,
    say: Say,
    live: Say | None = None,
    wait_s: float = 60.0,
    patience: Patience = DEFAULT,
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
    recorder = Recorder(lock)
    plan = await plan_apply(
        target.dsn,
        migrations,
        lock,
        say=say,
        to=to,
        allow_out_of_order=allow_out_of_order,
        allow_edited=allow_edited,
        allow_ahead=allow_ahead or allow_drift,
    )
    if not plan.migrations:
        return Changed(())
    applied = [one.id for one in plan.standing.ledger.applied]
    if not allow_unlocked:
        guards.refuse_unmeasured(lock, plan.migrations, applied, name)
    guards.refuse_elsewhere(target.name, await _elsewhere(target, lock, plan.migrations))
    guards.refuse_lacks(target.name, await _lacks(target, plan.migrations, lock))
    before = await look(target, Files.of(lock, migrations))
    try:
        if applied and not allow_drift:  # a database without a ledger cannot have drifted
            guards.refuse_drift(target.name, before.drift, _unlocked(lock, applied))
        recorder.meet(before.reading)
        snapshot = before.reading.snapshot
        foreseen = foresee(target.contracts, lock, plan.standing.ledger, snapshot, plan.migrations)
        breaks = _agreed(target, foreseen, say=say, allow_breaking=allow_breaking)
        done = await execute(plan, Manner(say, live, wait_s, patience, recorder))
    except MigrationFailed as error:
        if hint := _adopting(target, lock, before):
            raise MigrationFailed(str(error), hint=f"{hint}; or {error.hint}" if error.hint else hint) from error
        raise
    return await _proven(target, Files.of(lock, migrations), before, done, "applied", breaks=breaks, name=name)


async def _proven(
    target: Target,
    files: Files,
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
    unproven = await _prove(target, files, before, f"{', '.join(done)} {what}", left=left, name=name)
    return Changed(done, unproven, breaks)


def _adopting(target: Target, lock: LockFile, before: Look) -> str:
    """Return how to adopt a database without a ledger that has objects of the files; empty for any other."""
    if before.reading.ledger.schemas:
        return ""
    there = guards.made_already(lock, before.reading.snapshot.objects)
    return there and f"{target.name} already has {there}, but no ledger: find its version with healthd baseline"


async def _elsewhere(
    target: Target, lock: LockFile, pending: Sequence[Migration]
) -> tuple[default_places.Elsewhere, ...]:
    """Return what sessions of this database would create elsewhere than the replay did."""
    known = default_places.measured(lock, pending)
    return tuple(default_places.elsewhere(known, await read_session(target.dsn, default_places.touched(known))))


async def _elsewhere_undoing(
    target: Target, lock: LockFile, undone: Sequence[Migration]
) -> tuple[default_places.Elsewhere, ...]:
    """Return what rollbacks would look up elsewhere than the replay did."""
    known = default_places.measured(lock, undone)
    return tuple(
        default_places.elsewhere_undoing(known, await read_session(target.dsn, default_places.touched_undoing(known)))
    )


async def _unwritable(target: Target, ledger: Ledger) -> tuple[HealthdError, ...]:
    """Return why the tables of a ledger could not be created, or written to."""
    session = await read_session(target.dsn, ())
    return guards.raised(guards.refuse_unwritable, target.name, session, not ledger.schemas)


async def refusals(
    target: Target, migrations: Sequence[Migration], lock: LockFile, known: Standing, *, name: str
) -> tuple[HealthdError, ...]:
    """Return why `migrate` would refuse to start; interrupted, edited and unknown migrations are not included.

    Only reads.
    """
    files, ledger = Files.of(lock, migrations), known.ledger
    applied = [one.id for one in ledger.applied]
    pending = [one for one in migrations if one.id in known.ids(*TO_RUN)]
    if not pending:
        return ()
    seen = await look(target, files)
    foreseen = foresee(target.contracts, lock, ledger, seen.reading.snapshot, pending)
    elsewhere = await _elsewhere(target, lock, pending)
    return (
        *order_refusals(known, migrations, [one.id for one in migrations]),
        *guards.raised(guards.refuse_unmeasured, lock, pending, applied, name),
        *guards.raised(guards.refuse_elsewhere, target.name, elsewhere),
        *guards.raised(guards.refuse_drift, target.name, seen.drift if applied else (), _unlocked(lock, applied)),
        *guards.raised(guards.refuse_breaks, target.name, foreseen.refuses),
        *await _unwritable(target, ledger),
    )


async def _lacks(target: Target, pending: Sequence[Migration], lock: LockFile) -> tuple[Lack, ...]:
    async with connect(target.dsn) as connection:
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
    *,
    say: Say,
    live: Say | None = None,
    wait_s: float = 60.0,
    patience: Patience = DEFAULT,
    from_statement: int | None = None,
    dry_run: bool = False,
    name: str = "schema.lock",
) -> Changed:
    """Complete an interrupted file, and prove the result; see `plan_resume`.

    Drift does not prevent this, because a partly applied file is worse. Changes of the file itself are not drift until
    it is complete; so all of them are compared with the lock file afterwards, whenever they were made. With `dry_run`,
    only report what was applied and what would be done.
    """
    recorder = Recorder(lock)
    manner = Manner(say, live, wait_s, patience, recorder)
    plan = await plan_resume(target.dsn, migrations, lock, from_statement=from_statement)
    if plan is None:
        return Changed(())
    if dry_run:
        await rehearse_resume(plan, manner)
        return Changed(())
    files = Files.of(lock, migrations)
    before = await look(target, files)
    recorder.meet(before.reading)
    undone = {one.id for one in plan.standing.ledger.interrupted if one.operation == "rollback"}
    left = frozenset(guards.left_over(lock.migrations, undone & {plan.migration.id}))
    done = await execute_resume(plan, manner)
    return await _proven(target, files, before, done, "resumed", left=left, name=name)


async def rollback(
    target: Target,
    migrations: Sequence[Migration],
    lock: LockFile,
    *,
    say: Say,
    agree: Callable[[Sequence[str]], bool],
    live: Say | None = None,
    wait_s: float = 60.0,
    patience: Patience = DEFAULT,
    to: str | None = None,
    every: bool = False,
    allow_inexact: bool = False,
    allow_breaking: bool = False,
    name: str = "schema.lock",
) -> Changed:
    """Roll back, and prove that the database then matches the lock file; see `plan_rollback`.

    Raises MigrationFailed before anything is changed if a rollback is not proven to restore the previous schema, or
    breaks an expectation of the target's contracts, unless that is allowed; and if rows or values would be lost and
    `agree`, which receives them, returns false.
    """
    files, recorder = Files.of(lock, migrations), Recorder(lock)
    plan = await plan_rollback(target.dsn, migrations, lock, to=to, every=every)
    if not plan.migrations:
        return Changed(())
    undone, ledger = plan.migrations, plan.standing.ledger
    guards.refuse_stranding(lock, undone)
    guards.refuse_elsewhere(target.name, await _elsewhere_undoing(target, lock, undone))
    if not allow_inexact:
        guards.refuse_inexact(lock, undone, ledger.applied)
    before = await look(target, files)
    recorder.meet(before.reading)
    foreseen = foresee_undoing(target.contracts, lock, ledger, before.reading.snapshot, undone)
    breaks = _agreed(target, foreseen, say=say, allow_breaking=allow_breaking)
    lost = await losses(target.dsn, guards.may_take(lock, undone, [one.id for one in ledger.applied]))
    if lost and not agree(lost):
        guards.refuse_losses(lost)
    left = frozenset(guards.left_over(lock.migrations, {one.id for one in undone}))
    done = await execute(plan, Manner(say, live, wait_s, patience, recorder))
    return await _proven(target, files, before, done, "rolled back", breaks=breaks, left=left, name=name)


async def _prove(
    target: Target, files: Files, before: Look, what: str, *, name: str, left: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Return what could not be proven; raise MigrationFailed if the run had another result than was measured.

    Findings from before the run do not count; `left` are the objects that the run was allowed not to restore.
    """
    after = await look(target, files)
    applied = [one.id for one in after.reading.ledger.applied]
    if unlocked := _unlocked(files.lock, applied, files.migrations):
        return (f"{name} does not contain {some(unlocked)} as applied",)
    known = _known(target, files, before, after.reading.ledger.owner)
    news = [
        one
        for one in after.found
        if one.severity in (Severity.CRITICAL, Severity.WARNING)
        and identity(one) not in known
        and not _stood(one, files.lock, before, after)
    ]
    if made := [one.message for one in news if str(one.key) not in left and not held_by_another(one)]:
        raise MigrationFailed(
            f"{what}, but {target.name} does not match {name} afterwards: {some(made)}",
            hint="healthd check shows all differences, healthd repair the SQL that repairs them",
        )
    return tuple(one.message for one in (*after.unclear, *news))


def _known(target: Target, files: Files, before: Look, owner: str | None) -> set[Identity]:
    """Return what was found before the run, with the names that apply now that `owner` is the role that migrates."""
    reading = before.reading
    if owner != reading.ledger.owner:
        reading = replace(reading, ledger=replace(reading.ledger, owner=owner))
        before = Look(reading, conclude(target, files, Observation(reading)))
    return {identity(one) for one in before.found}


def _stood(finding: Finding, lock: LockFile, before: Look, after: Look) -> bool:
    """Return whether a finding is about an object that existed before the run and that the files do not touch."""
    key, owner = finding.key, after.reading.ledger.owner
    there = for_comparison(before.reading.snapshot, owner).objects
    if finding.problem == "unexpected_object" and key in there:
        return True
    if any(effect.key == key for one in lock.migrations for effect in one.effects):
        return False
    if key.kind == "owner":
        return Key(key.path[0], key.path[1:]) in there
    now = for_comparison(after.reading.snapshot, owner).objects
    return KINDS[key.kind].with_roles is not None and key in there and there[key] == now.get(key)


def _unlocked(lock: LockFile, applied: Sequence[str], files: Sequence[tuple[str, str]] = ()) -> tuple[str, ...]:
    """Return the applied migrations that the lock file lacks, or, for these files, has another text of."""
    locked, given = {one.id: one.digest for one in lock.migrations}, dict(files)
    return tuple(one for one in applied if locked.get(one) is None or given.get(one, locked[one]) != locked[one])

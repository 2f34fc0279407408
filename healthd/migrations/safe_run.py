"""Change one database with care: look before, refuse what is not as it should be, and prove what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from healthd.background import Later
from healthd.catalog import KINDS
from healthd.comparison.privileges import held_by_another
from healthd.comparison.roles import for_comparison
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.ledger import Ledger
from healthd.database.probes.surroundings import look_around
from healthd.database.row_counts import losses
from healthd.database.snapshot.reading import read
from healthd.database.snapshot.second_connection import Second
from healthd.database.snapshot.transaction import Reading
from healthd.errors import HealthdError, MigrationFailed
from healthd.expected import default_places
from healthd.expected.files import Migration
from healthd.expected.store import Files, expected_digests, of_another_major
from healthd.migrations import guards, runner
from healthd.migrations.engine.lock_waits import DEFAULT, Patience, Say
from healthd.migrations.engine.text_recorder import Recorder
from healthd.migrations.impact import Break, Foreseen, foresee, foresee_undoing
from healthd.migrations.needs import Lack, lacks
from healthd.migrations.runner import Manner
from healthd.model.findings import Finding, Identity, Verdict, identity
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.rounds.closer_look import conclude_closely
from healthd.rounds.conclusion import conclude, confirmed
from healthd.rounds.examination import AGAIN_S
from healthd.rounds.observation import Observation
from healthd.text import some

if TYPE_CHECKING:
    from healthd.expected.lockfile import LockFile
    from healthd.model.findings import Verdict

ELSEWHERE = frozenset({"migrations", "contracts"})  # what these checks find is not drift


@dataclass(frozen=True, slots=True)
class Look:
    """One database at one instant, and what that means; `found` is what is not as the lock file says."""

    reading: Reading
    verdict: Verdict

    @property
    def found(self) -> tuple[Finding, ...]:
        """Return what differs, and what could not be compared."""
        return tuple(one for one in self.verdict.findings if one.check not in ELSEWHERE)

    @property
    def drift(self) -> tuple[Finding, ...]:
        """Return what differs in a way that can break or expose the application."""
        return tuple(one for one in self.found if one.severity is Severity.CRITICAL)

    @property
    def unclear(self) -> tuple[Finding, ...]:
        """Return what could not be compared."""
        return tuple(one for one in self.verdict.findings if one.severity is Severity.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Changed:
    """What a run changed; `unproven` says, in words, what of it could not be proven, `breaks` what was let pass."""

    ids: tuple[str, ...]
    unproven: tuple[str, ...] = ()
    breaks: tuple[Break, ...] = ()


async def look(target: Target, files: Files) -> Look:
    """Return what a database is; trouble is looked at a second time, and only what is wrong twice is told.

    Of the kinds whose digest is as it should be no object is read.
    """
    return await _twice(target, Later.made(files), alone=False)


async def look_alone(target: Target, files: Later[Files]) -> Look:
    """Return what a database is, where nothing else is done with it: with a second connection.

    Files that are still being read are waited for once the server has answered.
    """
    return await _twice(target, files, alone=True)


async def _twice(target: Target, files: Later[Files], *, alone: bool) -> Look:
    try:
        async with connect(target.dsn) as connection:
            second = Second(target.dsn, target.deadline_s) if alone else None
            try:
                once = await _look(connection, target, files, second)
            finally:
                if second is not None:
                    await second.close()
            if not once.verdict.findings:
                return once
            await asyncio.sleep(AGAIN_S)
            again = await _look(connection, target, files)
    except HealthdError:
        await files.ready()  # what is wrong with the files comes first: it is the same for every database
        raise
    return replace(again, verdict=confirmed(once.verdict, again.verdict))


async def _look(connection: Any, target: Target, files: Later[Files], second: Second | None = None) -> Look:
    version = connection.info.server_version
    wanted, texts = expected_digests(files, version), of_another_major(files, version)
    reading = await read(connection, digests=wanted, second=second, texts=texts)
    reading.ledger.readable()
    return Look(*await conclude_closely(connection, target, await files.ready(), Observation(reading)))


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
    """Apply what is pending, and prove that the database then is what the lock file says.

    Raises MigrationFailed before anything is changed when the database has drifted, when the lock file does not say
    what would run, or when what would run breaks what the target's contracts believe, unless that is allowed; and
    afterwards, when the run made something else. See `runner.plan_apply` for what else is refused.
    """
    recorder = Recorder(lock)
    plan = await runner.plan_apply(
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
        if applied and not allow_drift:  # a database without a ledger is met as it is
            guards.refuse_drift(target.name, before.drift, _unlocked(lock, applied))
        recorder.meet(before.reading)
        snapshot = before.reading.snapshot
        foreseen = foresee(target.contracts, lock, plan.standing.ledger, snapshot, plan.migrations)
        breaks = _agreed(target, foreseen, say=say, allow_breaking=allow_breaking)
        done = await runner.execute(plan, Manner(say, live, wait_s, patience, recorder))
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
    """Return what a run changed, once that was proven; nothing when others were quicker."""
    if not done:
        return Changed(())
    unproven = await _prove(target, files, before, f"{', '.join(done)} {what}", left=left, name=name)
    return Changed(done, unproven, breaks)


def _adopting(target: Target, lock: LockFile, before: Look) -> str:
    """Return how to adopt a database without a ledger that has what the files make; nothing for any other."""
    if before.reading.ledger.schemas:
        return ""
    there = guards.made_already(lock, before.reading.snapshot.objects)
    return there and f"{target.name} has {there} already, and no ledger: healthd baseline finds its version"


async def _elsewhere(
    target: Target, lock: LockFile, pending: Sequence[Migration]
) -> tuple[default_places.Elsewhere, ...]:
    """Return what sessions of this database would put elsewhere than the replay did."""
    known = default_places.measured(lock, pending)
    return tuple(default_places.elsewhere(known, await runner.session(target.dsn, default_places.touched(known))))


async def _elsewhere_undoing(
    target: Target, lock: LockFile, undone: Sequence[Migration]
) -> tuple[default_places.Elsewhere, ...]:
    """Return what rollbacks would look for elsewhere than the replay did."""
    known = default_places.measured(lock, undone)
    return tuple(
        default_places.elsewhere_undoing(known, await runner.session(target.dsn, default_places.touched_undoing(known)))
    )


async def _unwritable(target: Target, ledger: Ledger) -> tuple[HealthdError, ...]:
    """Return why the tables of a ledger could not be made, or written to."""
    session = await runner.session(target.dsn, ())
    return guards.raised(guards.refuse_unwritable, target.name, session, not ledger.schemas)


async def refusals(
    target: Target, migrations: Sequence[Migration], lock: LockFile, known: runner.Standing, *, name: str
) -> tuple[HealthdError, ...]:
    """Return why `migrate` would not start, as it would say it; what is half-way, edited or unknown is not told.

    Reads only.
    """
    files, ledger = Files.of(lock, migrations), known.ledger
    applied = [one.id for one in ledger.applied]
    pending = [one for one in migrations if one.id in known.ids(*runner.TO_RUN)]
    if not pending:
        return ()
    seen = await look(target, files)
    foreseen = foresee(target.contracts, lock, ledger, seen.reading.snapshot, pending)
    elsewhere = await _elsewhere(target, lock, pending)
    return (
        *runner.refusals(known, migrations, [one.id for one in migrations]),
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
    """Say what contracts would lose, and return it; raise when that is reason enough not to go on."""
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
    """Bring an interrupted file to its end, and prove what came of it; see `runner.plan_resume`.

    Drift stops nobody here: half-way is the worse place to be. What the file itself changes is no drift before it is
    at its end, and so is held against the lock file afterwards, whatever of it was in before. A `dry_run` says what is
    in and what would be done, and does nothing.
    """
    recorder = Recorder(lock)
    manner = Manner(say, live, wait_s, patience, recorder)
    plan = await runner.plan_resume(target.dsn, migrations, lock, from_statement=from_statement)
    if plan is None:
        return Changed(())
    if dry_run:
        await runner.rehearse_resume(plan, manner)
        return Changed(())
    files = Files.of(lock, migrations)
    before = await look(target, files)
    recorder.meet(before.reading)
    undone = {one.id for one in plan.standing.ledger.interrupted if one.operation == "rollback"}
    left = frozenset(guards.left_over(lock.migrations, undone & {plan.migration.id}))
    done = await runner.execute_resume(plan, manner)
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
    """Roll back, and prove that the database then is what the lock file says; see `runner.plan_rollback`.

    Raises MigrationFailed before anything is changed when a rollback is not proven to bring back what was there,
    or breaks what the target's contracts believe, unless that is allowed, and when rows or values would be lost and
    `agree`, which is told which, returns no.
    """
    files, recorder = Files.of(lock, migrations), Recorder(lock)
    plan = await runner.plan_rollback(target.dsn, migrations, lock, to=to, every=every)
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
    done = await runner.execute(plan, Manner(say, live, wait_s, patience, recorder))
    return await _proven(target, files, before, done, "rolled back", breaks=breaks, left=left, name=name)


async def _prove(
    target: Target, files: Files, before: Look, what: str, *, name: str, left: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Return what could not be proven; raise MigrationFailed for what the run made otherwise than was measured.

    What was there before the run is not of its making; `left` are the objects that it was allowed to leave otherwise.
    """
    after = await look(target, files)
    applied = [one.id for one in after.reading.ledger.applied]
    if unlocked := _unlocked(files.lock, applied, files.migrations):
        return (f"{name} does not say what {some(unlocked)} makes",)
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
            f"{what}, but {target.name} is not what {name} says then: {some(made)}",
            hint="healthd check tells all, healthd repair the SQL that mends it",
        )
    return tuple(one.message for one in (*after.unclear, *news))


def _known(target: Target, files: Files, before: Look, owner: str | None) -> set[Identity]:
    """Return what was found before the run, as it is called now that `owner` is the role that migrates."""
    reading = before.reading
    if owner != reading.ledger.owner:
        reading = replace(reading, ledger=replace(reading.ledger, owner=owner))
        before = Look(reading, conclude(target, files, Observation(reading)))
    return {identity(one) for one in before.found}


def _stood(finding: Finding, lock: LockFile, before: Look, after: Look) -> bool:
    """Return whether a finding is about what was there before the run, and what the files do not touch."""
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
    """Return the applied migrations that the lock file does not have, or, of these files, has another text of."""
    locked, given = {one.id: one.digest for one in lock.migrations}, dict(files)
    return tuple(one for one in applied if locked.get(one) is None or given.get(one, locked[one]) != locked[one])

"""Do what was planned, and report what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from healthd.errors import DatabaseFailed, MigrationFailed
from healthd.migrations.engine import interrupted
from healthd.migrations.engine.file_checks import check
from healthd.migrations.engine.yoyo_backend import Backend, opened, yoyo_migration
from healthd.migrations.run_options import RunOptions
from healthd.migrations.run_plan import ResumePlan, RunPlan

if TYPE_CHECKING:
    from healthd.migrations.engine.text_recorder import Recorder


async def execute(plan: RunPlan, options: RunOptions, recorder: Recorder | None = None) -> tuple[str, ...]:
    """Execute a plan, and return the ids of its migrations; no lock is taken if there is nothing to do.

    The files post-apply*.sql next to the migrations run after them, as with yoyo.
    The `recorder` records how this server prints the texts that the files create.
    """
    if not plan.migrations:
        return ()
    if plan.operation == "apply":
        return await asyncio.to_thread(_apply, plan, options, recorder)
    return await asyncio.to_thread(_undo, plan, options, recorder)


def _apply(plan: RunPlan, options: RunOptions, recorder: Recorder | None) -> tuple[str, ...]:
    for migration in (*plan.migrations, *plan.afterwards):
        check(migration.apply, migration.path, transactional=migration.transactional)
    done: list[str] = []
    with _opened(plan, options, recorder) as backend:
        backend.checked = True
        applied = set(backend.get_applied_migration_hashes())  # another run may have changed them since the plan
        for number, migration in enumerate(plan.migrations, 1):
            theirs = yoyo_migration(migration)
            if theirs.hash in applied:
                continue
            if options.live is not None:
                options.live(f"[{number}/{len(plan.migrations)}] {migration.id}")
            with _telling("applied", done), options.traced(migration, "apply"):
                backend.apply_one(theirs)
            done.append(migration.id)
            options.say(f"applied {migration.id}")
        for migration in plan.afterwards if done else ():
            with _telling("applied", done), options.traced(migration, "apply"):
                backend.apply_one(yoyo_migration(migration), mark=False)
            options.say(f"ran {migration.id}")
    return tuple(done)


def _opened(
    plan: RunPlan | ResumePlan, options: RunOptions, recorder: Recorder | None
) -> AbstractContextManager[Backend]:
    """Open the connection of a run, and hold the migration lock for a block."""
    return opened(
        plan.dsn,
        wait_s=options.wait_s,
        patience=options.patience,
        say=options.say,
        live=options.live,
        recorder=recorder,
        lock_file=plan.lock_file,
    )


@contextmanager
def _telling(what: str, done: Sequence[str]) -> Iterator[None]:
    """If the block fails, add to its error which migrations were completed before it."""
    try:
        yield
    except (MigrationFailed, DatabaseFailed) as error:
        before = f"{what} before it: {', '.join(done)}" if done else f"none was {what} before it"
        raise MigrationFailed(f"{error} ({before})", hint=error.hint) from error


async def execute_resume(plan: ResumePlan, options: RunOptions, recorder: Recorder | None = None) -> tuple[str, ...]:
    """Complete the file, and return its migration's id; empty if another run has completed it."""
    return await asyncio.to_thread(_resume, plan, options, recorder, dry_run=False)


async def rehearse_resume(plan: ResumePlan, options: RunOptions, recorder: Recorder | None = None) -> tuple[str, ...]:
    """Report what of the file was applied and what would be done; change nothing."""
    return await asyncio.to_thread(_resume, plan, options, recorder, dry_run=True)


def _resume(plan: ResumePlan, options: RunOptions, recorder: Recorder | None, *, dry_run: bool) -> tuple[str, ...]:
    with _opened(plan, options, recorder) as backend:
        theirs = yoyo_migration(plan.migration)
        job = backend.job(theirs, plan.operation)
        marked = theirs.hash in backend.get_applied_migration_hashes()
        if marked == (plan.operation == "apply"):
            if not interrupted.begun(backend, job):
                return ()  # another run has completed it
            if plan.from_statement is None:
                raise interrupted.contradicted(job)
            if marked and not dry_run:
                backend.unmark_one(theirs, log=False)  # it is marked again when it is complete
        if dry_run:
            for line in interrupted.reported(job, interrupted.look(backend, job, plan.from_statement)):
                options.say(line)
            return ()
        if plan.from_statement is not None:
            interrupted.go_on_from(backend, job, plan.from_statement)
        with options.traced(plan.migration, plan.operation):
            if plan.operation == "apply":
                backend.apply_one(theirs)
            else:
                backend.rollback_one(theirs)
        options.say(f"{'applied' if plan.operation == 'apply' else 'rolled back'} {plan.migration.id}")
    return (plan.migration.id,)


def _undo(plan: RunPlan, options: RunOptions, recorder: Recorder | None) -> tuple[str, ...]:
    for migration in plan.migrations:
        check(migration.rollback or "", migration.rollback_path, transactional=migration.transactional)
    done: list[str] = []
    with _opened(plan, options, recorder) as backend:
        backend.checked = True
        applied = set(backend.get_applied_migration_hashes())  # another run may have changed them since the plan
        for migration in plan.migrations:
            theirs = yoyo_migration(migration)
            if theirs.hash not in applied:
                continue
            with _telling("rolled back", done), options.traced(migration, "rollback"):
                backend.rollback_one(theirs)
            done.append(migration.id)
            options.say(f"rolled back {migration.id}")
    return tuple(done)

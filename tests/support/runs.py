"""Runs that are planned and executed at once, reading nothing but the ledger: without the proof of a safe run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.migrations.engine.lock_waits import DEFAULT, Patience, Say
from healthd.migrations.execution import execute, execute_resume, rehearse_resume
from healthd.migrations.run_options import RunOptions
from healthd.migrations.run_plan import plan_apply, plan_resume, plan_rollback

if TYPE_CHECKING:
    from healthd.migrations.engine.text_recorder import Recorder


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
    return await execute(plan, RunOptions(say, live, wait_s, patience), recorder)


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
    run_options = RunOptions(say, live, wait_s, patience)
    return await (rehearse_resume if dry_run else execute_resume)(plan, run_options, recorder)


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
    return await execute(plan, RunOptions(say, live, wait_s, patience), recorder)

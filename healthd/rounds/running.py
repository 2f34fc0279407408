"""What a round shows of a migration that is running, also when nothing else has changed since the last round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from healthd.database.ledger import Ledger, read_ledger
from healthd.database.probes.running_migration import read_running
from healthd.model.findings import Report
from healthd.model.running import Runner, RunningMigration
from healthd.rounds.timing import RUNNING, question


async def running_of(connection: Any, runner: Runner | None, ledger: Ledger) -> RunningMigration | None:
    """Return what is known of the migration of a runner; without one, nothing is asked."""
    if runner is None:
        return None
    with question(RUNNING):
        return await read_running(connection, runner, ledger)


async def still_running(connection: Any, report: Report) -> Report | None:
    """Return the report of the last round with the present state of its migration; None if that has ended."""
    if report.maintenance is None:
        return report
    ledger, runner = await read_ledger(connection)
    if runner is None:
        return None
    running = await running_of(connection, runner, ledger)
    return replace(report, maintenance=runner.words, running=running)

"""Running migrations as metrics: a record for each family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from healthd.model.running import RunningMigration
from healthd.report.series import Family

Value = Callable[[RunningMigration], float | None]
Labels = Callable[[RunningMigration], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Gauge:
    """A family with one series for each target whose migration has a value; `names` are further labels."""

    name: str
    text: str
    value: Value
    names: tuple[str, ...] = ()
    labels: Labels = field(default=lambda _: ())

    def family(self, running: Mapping[str, RunningMigration]) -> Family:
        """Return the family for the targets with a migration that is running."""
        found = ((target, one, self.value(one)) for target, one in running.items())
        samples = [((target, *self.labels(one)), value) for target, one, value in found if value is not None]
        return Family(self.name, self.text, ("target", *self.names), samples)


GAUGES = (
    Gauge(
        "healthd_migration_running_info",
        "The migration that is running, as far as it is known; always 1, and absent while none is.",
        lambda _: 1.0,
        ("migration", "user", "application"),
        lambda one: (one.file or "", one.user or "", one.application),
    ),
    Gauge(
        "healthd_migration_running_start_timestamp_seconds",
        "Unix time at which the session that runs migrations connected; absent if healthd may not see it.",
        lambda one: one.connected_at.timestamp() if one.connected_at else None,
    ),
    Gauge(
        "healthd_migration_statement",
        "Number of the statement of a non-transactional file that is running.",
        lambda one: one.statement,
    ),
    Gauge(
        "healthd_migration_statements",
        "Number of statements of the non-transactional file that is running.",
        lambda one: one.statements,
    ),
    Gauge(
        "healthd_migration_waiting",
        "Whether the migration that is running waits for other sessions, or is about to try again.",
        lambda one: float(one.waits),
    ),
    Gauge(
        "healthd_migration_blockers",
        "Number of sessions that block the migration that is running.",
        lambda one: one.blocker_count,
    ),
    Gauge(
        "healthd_migration_index_progress_ratio",
        "Share of the present phase of the index build of the migration that is running, 0 to 1.",
        lambda one: one.index.share if one.index else None,
        ("phase",),
        lambda one: (one.index.phase if one.index else "",),
    ),
)

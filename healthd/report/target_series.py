"""What metrics say of a target in one number each: a record for each family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from healthd.model.findings import Report
from healthd.model.ledger import State
from healthd.report.board import Entry
from healthd.report.series import Family

STATES = {
    State.PENDING: "pending",
    State.OUT_OF_ORDER: "out_of_order",
    State.APPLIED: "applied",
    State.EDITED: "edited",
    State.MISSING: "missing",
    State.UNKNOWN: "unknown",
    State.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True, slots=True)
class Gauge:
    """A family with one series for each target that has a value at an instant."""

    name: str
    text: str
    value: Callable[[Entry, datetime], float | None]

    def family(self, entries: Mapping[str, Entry], now: datetime) -> Family:
        """Return the family for these targets."""
        found = ((target, self.value(one, now)) for target, one in entries.items())
        samples = [((target,), value) for target, value in found if value is not None]
        return Family(self.name, self.text, ("target",), samples)


def _up(one: Entry, now: datetime) -> float | None:
    return None if one.report is None else float(one.fresh(now) and one.report.failure is None)


def _maintenance(one: Entry, now: datetime) -> float:
    return float(one.fresh(now) and one.report is not None and one.report.maintenance is not None)


def _seconds(instant: datetime | None) -> float | None:
    return instant.timestamp() if instant else None


OF_ROUNDS = (
    Gauge(
        "healthd_target_examined",
        "Whether a round of the target has finished since healthd started; before that nothing else is known of it.",
        lambda one, _: float(one.report is not None),
    ),
    Gauge(
        "healthd_target_up",
        "Whether the last round could read the target; absent before the first round.",
        _up,
    ),
    Gauge(
        "healthd_check_interval_seconds",
        "Pause between two rounds of the target.",
        lambda one, _: one.interval_s,
    ),
    Gauge(
        "healthd_check_last_run_timestamp_seconds",
        "Unix time at which the last round of the target began.",
        lambda one, _: _seconds(one.report.started_at if one.report else None),
    ),
    Gauge(
        "healthd_check_last_success_timestamp_seconds",
        "Unix time of the last round that could read the target, whatever it found.",
        lambda one, _: _seconds(one.last_success),
    ),
    Gauge(
        "healthd_drift_since_timestamp_seconds",
        "Unix time since which the target has had a critical finding; absent without one.",
        lambda one, _: _seconds(one.drift_since),
    ),
    Gauge(
        "healthd_maintenance_active",
        "Whether a session holds the migration lock of the target.",
        _maintenance,
    ),
)
RECENT = Gauge(
    "healthd_check_recent_seconds",
    "Age up to which a round that succeeded is recent: three intervals, its duration, and what it waited.",
    lambda one, now: one.recent_s(now),
)


def is_database(report: Report) -> bool:
    """Return whether this is the report of a database, and not of an endpoint or of a group."""
    return report.asked is None and report.listed is None


def _read(one: Entry) -> Report | None:
    """Return the report of a database that could be read."""
    found = one.report
    return found if found is not None and found.failure is None and is_database(found) else None


def _waived(one: Entry, _now: object) -> float | None:
    found = _read(one)
    return None if found is None else float(len(found.waived))


def _schemas(one: Entry, _now: object) -> float | None:
    found = one.report.tenants if one.report is not None else None
    return None if found is None else float(found.schemas)


def _different(one: Entry, _now: object) -> float | None:
    found = one.report.tenants if one.report is not None else None
    return None if found is None or found.different is None else float(len(found.different))


def _migrations(state: State) -> Callable[[Entry, datetime], float | None]:
    def number(one: Entry, _now: object) -> float | None:
        found = _read(one)
        return None if found is None else float(sum(migration.state is state for migration in found.migrations))

    return number


OF_RESULTS = (
    Gauge(
        "healthd_waived",
        "Number of findings of the last round that a waiver covers; no other metric of findings counts them.",
        _waived,
    ),
    Gauge(
        "healthd_tenant_schemas",
        "Number of schemas of tenants; only for a target with `schemas`.",
        _schemas,
    ),
    Gauge(
        "healthd_tenant_schemas_different",
        "Number of schemas of tenants with findings; absent while they cannot be compared.",
        _different,
    ),
    *(
        Gauge(
            f"healthd_migrations_{word}",
            f"Number of migrations of the target that are {word.replace('_', ' ')}.",
            _migrations(state),
        )
        for state, word in STATES.items()
    ),
)

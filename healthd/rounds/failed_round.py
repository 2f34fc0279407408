"""A round that could not examine its target: every check is unknown, and the report says why."""

from __future__ import annotations

from datetime import UTC, datetime

from healthd.checks import applicable
from healthd.config.settings import Target
from healthd.errors import DatabaseFailed, DatabaseUnreachable, HealthdError, LedgerFailed, PermissionDenied
from healthd.model.findings import Finding, Report
from healthd.model.names import Key
from healthd.model.severity import Severity

LOST = LedgerFailed(
    "cannot tell which migrations were applied: the ledger is missing, but existed in an earlier round",
    hint="restore its tables from a backup",
)


def overdue(limit_s: float, *, answers: bool) -> HealthdError:
    """Return the error of a round that took longer than its deadline: because of the server, or because of the work."""
    if answers:
        hint = "raise deadline_s in yoyo.ini, or find out what the server waits for: healthd_query_duration_seconds"
        return DatabaseFailed(f"the round took longer than {limit_s:g} s", hint=hint)
    return DatabaseUnreachable(f"no answer within {limit_s:g} s", hint="see deadline_s in yoyo.ini")


def blind(target: Target, error: HealthdError) -> Report:
    """Return the report of a round that could not read the target: every check is unknown."""
    denied = isinstance(error, PermissionDenied)
    grant = error.grant if isinstance(error, PermissionDenied) else ""
    unreachable = isinstance(error, DatabaseUnreachable)
    answered = isinstance(error, DatabaseFailed | LedgerFailed)
    finding = Finding(
        "permission_denied" if denied else "round_failed" if answered else "database_unreachable",
        Key("database", (target.name,)),
        str(error),
        Severity.UNKNOWN,
        expected="a complete round",
        actual="permission denied" if denied else "the round failed" if answered else "no answer",
        repair=(grant,) if grant else (),
        facts={"grant": grant} if denied else {},
        check="connection",
    )
    return Report(
        target=target.name,
        started_at=datetime.now(UTC),
        duration_s=0.0,
        findings=(finding,),
        checks=dict.fromkeys(("connection", *applicable(target.contracts)), Severity.UNKNOWN),
        failure="denied" if denied else "unreachable" if unreachable else "error",
    )

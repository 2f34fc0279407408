"""The state of a target in one word and one sentence, for people."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from healthd.model.findings import MISSING, Finding
from healthd.model.severity import Severity
from healthd.report.board import Entry
from healthd.report.html import counted, span

WAITING = "waiting"  # for its first round: neither good nor bad
STATES = ("unknown", "critical", "warning", WAITING, "ok")  # in the order in which a reader needs them

FAILURES = {  # what the headline says when a round could not read its target, by the reason
    "unreachable": "cannot reach",
    "timeout": "got no answer in time from",
    "denied": "lacks privileges on",
}
DIFFERS = "differs from sql/"
OUTDATED = "has a waiver that no longer holds"
EXHAUSTING = "is running out of sequence numbers"
HEADLINES = {  # what the headline says about each problem, in the order of precedence
    "migration_interrupted": "has a partly applied migration",
    "schema_mismatch": DIFFERS,
    "enum_mismatch": "has an enum with other values than sql/",
    "partition_half_detached": "has a partition that is detached only by half",
    "serialization_failed": "has values that an application cannot read or write",
    "contract_broken": "breaks a contract",
    "permission_denied": "denies an application a privilege that it needs",
    "migration_edited": "has an edited migration",
    "migration_missing": "has an applied migration without a file",
    "migration_unknown": "is ahead of sql/",
    "collation_version_moved": "has indexes of another collation version",
    "sequence_exhausted": EXHAUSTING,
    "sequence_exhausting": EXHAUSTING,
    "endpoint_unavailable": "is not available",
    "endpoint_mismatch": "does not match its contract",
    "endpoint_slow": "is slow",
    "database_not_watched": "has databases that are not watched, or none",
    "tenant_schemas_missing": "has no schema of a tenant",
    "migration_pending": "has a pending migration",
    "unexpected_object": "has objects that are not in sql/",
    "lock_outdated": "has migrations that the lock file does not contain",
    "waiver_expired": OUTDATED,
    "waiver_unused": OUTDATED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one target, and the headline, which consists of the texts before and after its name."""

    name: str
    state: str  # one of STATES
    before: str
    after: str
    entry: Entry
    fresh: bool
    seen_at: datetime | None  # when the latest round finished
    next_at: datetime | None
    worst: Finding | None

    @classmethod
    def of(cls, name: str, entry: Entry, now: datetime) -> Standing:
        """Return the state of a target; without a recent round it is unknown, before the first one it waits."""
        report, fresh = entry.report, entry.fresh(now)
        seen_at = report.started_at + timedelta(seconds=report.duration_s) if report else None
        before, after = _headline(entry, fresh, seen_at, now)
        return cls(
            name,
            state_of(entry, now),
            before,
            after,
            entry,
            fresh,
            seen_at,
            seen_at + timedelta(seconds=report.next_round_s) if report and seen_at else None,
            report.findings[0] if report and report.findings else None,
        )

    @property
    def more(self) -> int:
        """Return the number of findings apart from the worst one."""
        return len(self.entry.report.findings) - 1 if self.entry.report and self.worst else 0


def state_of(entry: Entry, now: datetime) -> str:
    """Return the state of a target, one of STATES; without a round it waits for one, and is not unknown."""
    if entry.report is None:
        return WAITING
    return str(entry.report.severity if entry.fresh(now) else Severity.UNKNOWN)


def _headline(entry: Entry, fresh: bool, seen_at: datetime | None, now: datetime) -> tuple[str, str]:
    """Return the texts of the headline before and after the target's name."""
    report = entry.report
    if report is None or seen_at is None:
        return "healthd has not examined ", " yet"
    if not fresh:
        return "healthd has not examined ", f" for {span(now - seen_at)}"
    if report.failure:
        return f"healthd {FAILURES.get(report.failure, 'cannot examine')} ", ""
    severities = {one.severity for one in report.findings}
    total = f": {counted(len(report.findings), 'finding')}"
    if not report.findings:
        if report.listed is not None:
            return "", f" lists {counted(report.listed.count, 'database')}"
        return "", " matches sql/" if report.asked is None else " responds as expected"
    if {one.problem for one in report.findings} == {"not_adopted"}:
        return "", " is not adopted yet"
    if Severity.CRITICAL in severities:
        blind = ", and some checks cannot tell" if Severity.UNKNOWN in severities else ""
        worst = [one for one in report.findings if one.severity is Severity.CRITICAL]
        return "", f" {_predicate(worst)}{total}{blind}"
    if Severity.UNKNOWN in severities:
        return "healthd cannot check all of ", total
    words = _predicate(report.findings)
    return "", f" {words}{' in minor points' if words == DIFFERS else ''}{total}"


def _predicate(findings: Collection[Finding]) -> str:
    """Return what the headline says about a target with these findings."""
    of = {problem: [one for one in findings if one.problem == problem] for problem in HEADLINES}
    if (missing := [one for one in of["schema_mismatch"] if one.actual == MISSING]) and not of["migration_interrupted"]:
        return f"lacks {_objects(missing)}"
    if pending := of["migration_pending"]:
        of["migration_pending"] = []
        if not any(of.values()):
            return f"has {counted(len(pending), 'pending migration')}"
    return next((HEADLINES[problem] for problem, found in of.items() if found), "has problems")


def _objects(findings: Collection[Finding]) -> str:
    """Return of what kind objects are, with their number."""
    kinds = {one.key.kind.replace("_", " ") for one in findings}
    noun = kinds.pop() if len(kinds) == 1 else "object"
    return f"{len(findings)} indexes" if noun == "index" and len(findings) > 1 else counted(len(findings), noun)

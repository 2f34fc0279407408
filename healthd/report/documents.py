"""A report as JSON: for `--format json`, and as the response of the API with its HTTP status (RFC 9457)."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import quote

from healthd.expected.origins import Origin
from healthd.model.findings import Finding, Report, Waived
from healthd.model.scripts import Rehearsed
from healthd.model.severity import Severity
from healthd.model.snapshots import Place
from healthd.model.waivers import Waiver
from healthd.report.board import Board, Entry
from healthd.report.lines import Line, plain
from healthd.report.problems import PROBLEMS, leading
from healthd.report.running import running_document, running_lines
from healthd.report.target_states import state_of
from healthd.report.timeline import STATE, Event
from healthd.text import natural, printable, sql_lines


def document(report: Report, made: Mapping[Place, Origin] | None = None) -> dict[str, Any]:
    """Return a report as JSON values; with `made`, each finding has the origin of its object."""
    return {
        "target": report.target,
        "severity": str(report.severity),
        "started_at": report.started_at.isoformat(),
        "duration_s": round(report.duration_s, 3),
        "next_round_s": report.next_round_s,
        "server_version": report.server_version,
        "database": report.database or None,
        "lock_digest": report.lock_digest or None,
        "maintenance": report.maintenance,
        "running": running_document(report.running),
        "adopted": None if report.failure or report.asked or report.listed else report.not_adopted is None,
        "notes": list(report.notes),
        "checks": {name: str(severity) for name, severity in report.checks.items()},
        "findings": [{**finding_document(one), **_origin(one, made)} for one in report.findings],
        "waived": [waived_document(one) for one in report.waived],
        "tenants": _tenants(report),
        "migrations": [
            {"id": one.id, "state": one.state, "applied_at": one.applied_at.isoformat() if one.applied_at else None}
            for one in report.migrations
        ],
    }


def _tenants(report: Report) -> dict[str, Any] | None:
    if report.tenants is None:
        return None
    different = report.tenants.different
    return {"schemas": report.tenants.schemas, "different": None if different is None else list(different)}


def finding_document(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values; its facts are members next to the others."""
    return {
        "problem": finding.problem,
        "check": finding.check,
        "severity": str(finding.severity),
        "key": str(finding.key),
        "attribute": finding.attribute,
        "message": finding.message,
        "expected": finding.expected,
        "actual": finding.actual,
        "repair": list(finding.repair),
        **_listed(finding.facts),
    }


def _origin(finding: Finding, made: Mapping[Place, Origin] | None) -> dict[str, Any]:
    if made is None:
        return {}
    return {"origin": origin_document(made.get((finding.key, finding.attribute)))}


def origin_document(origin: Origin | None) -> dict[str, Any] | None:
    """Return where an object was made or changed last as JSON values."""
    return None if origin is None else asdict(origin)


def waived_document(one: Waived) -> dict[str, Any]:
    """Return a waived finding as JSON values, with its waiver."""
    return {**finding_document(one.finding), "waiver": waiver_document(one.waiver)}


def waiver_document(waiver: Waiver) -> dict[str, Any]:
    """Return a waiver as JSON values."""
    return {"key": waiver.key, "reason": waiver.reason, "owner": waiver.owner, "until": waiver.until.isoformat()}


def timeline_document(target: str, entry: Entry) -> dict[str, Any]:
    """Return what the rounds of a target saw happen as JSON values, the newest first."""
    events = [event_document(event) for event in reversed(entry.timeline)]
    return {"target": target, "interval_s": entry.interval_s, "events": events}


def event_document(event: Event) -> dict[str, Any]:
    """Return an event as JSON values."""
    return {
        "event": event.kind,
        "at": event.at.isoformat(),
        "since": event.since.isoformat() if event.since else None,
        "name": event.name or None if event.kind != STATE else None,
        "before": event.name if event.kind == STATE and event.name else None,
        "attribute": event.attribute,
        "problem": event.problem or None,
        "severity": event.severity or None,
        "finding": event.finding or None,
        "count": event.count,
    }


def _listed(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}


def answer(
    report: Report | None,
    *,
    fresh: bool,
    request_id: str,
    now: datetime,
    last_good: datetime | None,
    runbook: str,
    rehearsed: Rehearsed | None = None,
    remembered: Mapping[str, Any] | None = None,
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Return status, body and headers for one target; `report` is None before the first round, when only what
    is `remembered` from before a restart is known."""
    seed = {"request_id": request_id, "timestamp": now.isoformat()}
    good = last_good.isoformat() if last_good else None
    if report is None or not fresh:
        title, code = ("No round yet", "no_round_yet") if report is None else ("No recent round", "round_overdue")
        detail = f"the last round began at {report.started_at.isoformat()}" if report else "no round has finished yet"
        body = {"type": "about:blank", "title": title, "status": 503, "detail": detail, "error_code": code}
        known = {"last_good": good} if report else {"last_good": good, "remembered": remembered}
        return 503, body | known | seed, {"Retry-After": "1"}
    played = rehearsed or Rehearsed()
    whole = {
        **document(report),
        "rehearsal": {"state": played.state, "words": played.words},
        "last_good": good,
    }
    worst = leading(report.findings)
    status = PROBLEMS[worst.problem].status if worst else 200
    if worst is None or status == 200:
        return 200, whole | seed, {}
    problem = PROBLEMS[worst.problem]
    body = {
        "type": f"{runbook}#{problem.name}",
        "title": problem.title,
        "status": status,
        "detail": worst.message,
        "error_code": problem.name,
        **seed,
        **_listed(worst.facts),
        **whole,
    }
    return status, body, {"Retry-After": str(max(1, round(report.next_round_s)))} if status == 503 else {}


def memory(entry: Entry) -> dict[str, Any] | None:
    """Return what is remembered of a target from before a restart; None once a round has finished since."""
    if not entry.remembered:
        return None
    times = {"since": entry.since, "drift_since": entry.drift_since, "last_success": entry.last_success}
    severity = None if entry.severity is None else str(entry.severity)
    return {"severity": severity, **{name: time.isoformat() if time else None for name, time in times.items()}}


def summaries(board: Board, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield a summary of every target, sorted by name."""
    for name, entry in sorted(board.entries.items(), key=lambda one: natural(one[0])):
        report = entry.report
        yield {
            "target": name,
            "severity": state_of(entry, now),
            "since": entry.since.isoformat() if entry.since and report else None,
            "findings": len(report.findings) if report else 0,
            "last_good": entry.last_good.isoformat() if entry.last_good else None,
            "remembered": memory(entry),
            "url": f"{board.external_url}/api/v1/targets/{quote(name, safe='')}",
        }


def text(report: Report, external_url: str = "") -> str:
    """Return a report for people: one or more lines for each finding, and the address of its page."""
    return plain(lines(report, external_url))


def lines(report: Report, external_url: str = "") -> Iterator[Line]:
    """Yield the lines of a report for people."""
    if not report.findings:
        yield Line((report.target, "ok"), Severity.OK)
    for finding in report.findings:
        cells = (report.target, str(finding.severity).upper(), finding.problem, printable(finding.message))
        yield Line(cells, finding.severity)
        for statement in finding.repair:
            yield from (Line((f"    {line}",), exact=True) for line in sql_lines(statement))
    for one in report.waived:
        yield from _waived_lines(report.target, one)
    yield from (Line((report.target, f"note: {printable(note)}")) for note in report.notes)
    if report.maintenance:
        yield Line((report.target, f"maintenance: {printable(report.maintenance)}"))
    yield from running_lines(report.running)
    if any(one.severity is not Severity.OK for one in report.findings):
        problems = " ".join(sorted({one.problem for one in report.findings}))
        yield Line((f"    what to do: healthd explain {problems}",))
        if external_url:
            yield Line((f"    page: {external_url}/targets/{quote(report.target, safe='')}",), exact=True)


def _waived_lines(target: str, one: Waived) -> tuple[Line, Line]:
    finding, waiver = one.finding, one.waiver
    return (
        Line((target, "waived", finding.problem, printable(finding.message))),
        Line((f"    until {waiver.until}, {printable(waiver.owner)}: {printable(waiver.reason)}",)),
    )

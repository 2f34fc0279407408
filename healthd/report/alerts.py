"""What is known about a target as alerts, with the labels that Prometheus gives them: both are one alert."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from healthd.model.findings import Finding, finding_id, identity
from healthd.model.severity import Severity
from healthd.report.alert_rules import MAINTENANCE, MAINTENANCE_MAX_S, AlertRule, rule_for
from healthd.report.board import Entry
from healthd.report.short_findings import TOP, brief
from healthd.text import hide

Labels = tuple[tuple[str, str], ...]  # sorted; they identify an alert
HELD = (Severity.CRITICAL, Severity.WARNING)  # of the findings that stay while their check cannot tell


@dataclass(frozen=True, slots=True)
class Links:
    """Where links lead, and the labels that every alert has; an empty address is not known."""

    external_url: str = ""
    runbook_url: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def page(self, target: str, findings: Sequence[Finding] = ()) -> str:
        """Return the address of a target's page, or of that of a single finding."""
        inside = f"/findings/{finding_id(identity(findings[0]))}" if len(findings) == 1 else ""
        return f"{self.external_url}/targets/{quote(target, safe='')}{inside}" if self.external_url else ""

    def runbook(self, section: str) -> str:
        """Return the address of a section of the runbook."""
        return f"{self.runbook_url}#{section}" if self.runbook_url else ""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert since when what it is about was seen; it fires after `waits_s`, and for `lasts_s` at most."""

    labels: Labels
    annotations: Mapping[str, str]
    since: datetime
    waits_s: float = 0.0
    lasts_s: float | None = None
    lingers: bool = True  # it is not resolved at once when it ends
    page: str = ""

    @property
    def starts_at(self) -> datetime:
        """Return when it begins to fire."""
        return self.since + timedelta(seconds=self.waits_s)

    @property
    def stops_at(self) -> datetime | None:
        """Return when it fires no longer, whatever lasts; None if there is no such time."""
        return None if self.lasts_s is None else self.since + timedelta(seconds=self.lasts_s)

    def fires(self, now: datetime) -> bool:
        """Return whether it fires."""
        return self.starts_at <= now and (self.stops_at is None or now < self.stops_at)

    def document(self, ends_at: datetime) -> dict[str, Any]:
        """Return the alert as Alertmanager takes it (API v2); it is resolved at `ends_at`."""
        found = {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": self.starts_at.isoformat(),
            "endsAt": max(ends_at, self.starts_at).isoformat(),
        }
        return {**found, "generatorURL": self.page} if self.page else found


def alerts_of(target: str, entry: Entry, links: Links) -> Iterator[Alert]:
    """Yield the alerts of a target: a running migration first, because it inhibits the others, then its findings.

    While a check cannot tell, its last findings are still alerts, and so are those from before a restart.
    """
    report = entry.report
    if report is not None and report.maintenance is not None:
        yield _maintenance(target, report.started_at, links)
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in _reported(entry):
        severity = "warning" if finding.severity is Severity.WARNING else "critical"
        groups.setdefault((finding.check, finding.problem, severity), []).append(finding)
    for (check, problem, severity), findings in groups.items():
        if (rule := rule_for(problem)) is not None:
            labels = {"check": check, "problem": problem, "severity": severity}
            page = links.page(target, findings)
            texts = _texts(rule, target, problem, links, page) | {"description": _description(target, entry, findings)}
            since = min(entry.first_seen[identity(one)] for one in findings)
            name = _labels(rule, target, labels, links)
            yield Alert(name, _shown(texts), since, rule.waits_s, page=page)


def _reported(entry: Entry) -> Iterator[Finding]:
    """Yield the findings of the last round, and those that are held."""
    findings = entry.report.findings if entry.report is not None else ()
    unknown = {identity(one) for one in findings if one.severity is Severity.UNKNOWN}
    for name, finding in entry.standing.items():
        if finding.severity in HELD or name in unknown:
            yield finding


def _maintenance(target: str, since: datetime, links: Links) -> Alert:
    page = links.page(target)
    texts = _texts(MAINTENANCE, target, "maintenance", links, page) | {
        "description": (
            f"Alerts on {target} that a running migration explains are inhibited until it ends. "
            "No action is required. Its page (dashboard_url) shows who runs the migration."
        )
    }
    labels = _labels(MAINTENANCE, target, {"severity": "info"}, links)
    return Alert(labels, _shown(texts), since, lasts_s=MAINTENANCE_MAX_S, lingers=False, page=page)


def _labels(rule: AlertRule, target: str, further: Mapping[str, str], links: Links) -> Labels:
    """Return the labels of an alert; as in Prometheus, its own take precedence over those of all alerts."""
    own = {"alertname": rule.name, "job": "healthd", "target": target, **further}
    return tuple(sorted((name, value) for name, value in {**links.labels, **own}.items() if value))


def _texts(rule: AlertRule, target: str, section: str, links: Links, page: str) -> dict[str, str]:
    return {
        "summary": f"{target}: {rule.summary}",
        "action": rule.action,
        "dashboard_url": page,
        "runbook_url": links.runbook(section),
    }


def _shown(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: hide(text) for name, text in texts.items() if text}


def _description(target: str, entry: Entry, findings: Sequence[Finding]) -> str:
    """Return what was found, as the description of the rules has it."""
    check, problem = findings[0].check, findings[0].problem
    number = sum(one.count for one in findings)
    lines = [f"{target}: {problem}, reported by the check {check}; number of findings: {number}."]
    lines += _objects(findings)
    if entry.drift_since is not None:
        lines.append(f"Drift since {entry.drift_since:%Y-%m-%d %H:%M:%S} UTC.")
    if entry.report is None or entry.report.checks.get(check) in (None, Severity.UNKNOWN):
        lines.append("This is the last known result; the check has no current one.")
    shown = "all findings" if len(findings) > 1 else "both sides, the repair and the timeline"
    lines.append(f"Its page (dashboard_url) shows {shown}.")
    lines.append(f"`healthd explain {problem}` shows the impact and the mitigation.")
    return "\n".join(lines)


def _objects(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each object; of a finding from before a restart only the name is known."""
    return sorted({_line(one) for one in findings[:TOP]})


def _line(finding: Finding) -> str:
    name, expected, actual = brief(finding)
    known = finding.expected is not None or finding.actual is not None
    return f"- {name}: expected {expected}, actual {actual}" if known else f"- {name}"

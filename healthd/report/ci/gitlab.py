"""GitLab's Code Quality report: a list of issues."""

from __future__ import annotations

import json

from healthd.model.severity import Severity
from healthd.report.ci.annotations import Outcome, fingerprints

SEVERITIES = {
    Severity.UNKNOWN: "blocker",
    Severity.CRITICAL: "critical",
    Severity.WARNING: "minor",
    Severity.OK: "info",
}


def text(outcome: Outcome) -> str:
    """Return the list; empty if nothing was found."""
    names = fingerprints(outcome.annotations)
    issues = [
        {
            "description": one.message,
            "check_name": one.rule,
            "fingerprint": name,
            "severity": SEVERITIES[one.severity],
            "location": {"path": one.path, "lines": {"begin": one.line}},
        }
        for one, name in zip(outcome.annotations, names, strict=True)
    ]
    return json.dumps(issues, indent=2, ensure_ascii=False)

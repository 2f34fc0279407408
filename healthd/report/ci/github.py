"""Workflow commands of GitHub Actions: annotations in the log, the summary and the changed files of a run."""

from __future__ import annotations

from healthd.model.severity import Severity
from healthd.report.ci.annotations import Annotation, Outcome

COMMANDS = {
    Severity.UNKNOWN: "error",
    Severity.CRITICAL: "error",
    Severity.WARNING: "warning",
    Severity.OK: "notice",
}


def text(outcome: Outcome) -> str:
    """Return a command for each annotation, and a line that is none."""
    return "\n".join((*map(command, outcome.annotations), outcome.headline))


def command(one: Annotation) -> str:
    """Return the command that shows an annotation."""
    properties = {"file": one.path, "line": str(one.line), "title": one.rule}
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{COMMANDS[one.severity]} {named}::{_data(one.text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

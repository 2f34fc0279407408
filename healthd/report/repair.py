"""The SQL that brings a database back to what sql/ says, as one script for a person to read and run."""

from healthd.model import Report


def script(report: Report) -> str:
    """Return the repairs of a report's findings, each under what it is for; nothing runs it here."""
    lines = [f"-- {report.target}, as seen at {report.started_at:%Y-%m-%d %H:%M:%S} UTC: read before you run"]
    for finding in report.findings:
        lines += ["", *(f"-- {line}" for line in finding.message.splitlines())]
        lines += finding.repair or (f"-- no SQL can tell: healthd explain {finding.problem}",)
    return "\n".join(lines) + "\n"

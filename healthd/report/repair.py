"""The SQL that brings a database back to what sql/ says, as one script for a person to read and run."""

from healthd.model.findings import Report
from healthd.text import printable, sql_lines


def script(report: Report, *, shown: bool = False) -> str:
    """Return the repairs of a report's findings, each under what it is for; nothing runs it here.

    It is exact. What is `shown` to a person has no characters that a terminal would not show: see `sql_lines`.
    """
    lines = [f"-- {report.target}, as seen at {report.started_at:%Y-%m-%d %H:%M:%S} UTC: read before you run"]
    for finding in report.findings:
        lines += ["", *(f"-- {printable(line)}" for line in finding.message.splitlines())]
        repair = [line for statement in finding.repair for line in sql_lines(statement)] if shown else finding.repair
        lines += repair or (f"-- no SQL can tell: healthd explain {finding.problem}",)
    return "\n".join(lines) + "\n"

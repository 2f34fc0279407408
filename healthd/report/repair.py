"""The SQL that makes a database match sql/ again, as one script for a person to read and run."""

from healthd.model.findings import Report
from healthd.text import printable, sql_lines


def script(report: Report, *, shown: bool = False) -> str:
    """Return the repairs of a report's findings, each below its message; healthd does not run them.

    The script is exact. If `shown` on a terminal, it contains no unprintable characters: see `sql_lines`.
    """
    lines = [f"-- Repairs for {report.target}, round of {report.started_at:%Y-%m-%d %H:%M:%S} UTC: read before you run"]
    for finding in report.findings:
        lines += ["", *(f"-- {printable(line)}" for line in finding.message.splitlines())]
        repair = [line for statement in finding.repair for line in sql_lines(statement)] if shown else finding.repair
        lines += repair or (f"-- no SQL for this finding: see healthd explain {finding.problem}",)
    return "\n".join(lines) + "\n"

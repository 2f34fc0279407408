"""The SQL that makes a database match sql/ again, as one script for a person to read and run."""

from collections.abc import Iterator

from healthd.model.findings import Finding, Report
from healthd.repair.text import PREAMBLE, transactions
from healthd.text import printable, sql_lines

NONE = "-- no SQL for this finding: see healthd explain {}"
FOLLOWS = "-- the SQL is being made: ask again in a second"


def script(report: Report, *, shown: bool = False, rehearsed: str = "") -> str:
    """Return the repair of a report; healthd does not run it.

    `rehearsed` is a line on how it went on a scratch server. The script is exact. If `shown` on a terminal, it contains
    no unprintable characters: see `sql_lines`.
    """
    parts = list(transactions(report.script))
    if shown:
        parts = ["\n".join(line for line in sql_lines(part)) for part in parts]
    return "\n".join(_lines(report, parts, rehearsed)) + "\n"


def connecting(url: str) -> str:
    """Return the command with which psql connects to the database of a script; `url` has no password."""
    quoted = url.replace("\\", "\\\\").replace("'", "\\'")
    return f"\\connect '{quoted}'"


def _lines(report: Report, parts: list[str], rehearsed: str) -> Iterator[str]:
    yield f"-- Repair of {report.target}, round of {report.started_at:%Y-%m-%d %H:%M:%S} UTC: read before you run"
    if rehearsed:
        yield from (f"-- {printable(line)}" for line in rehearsed.splitlines())
    yield from (f"-- {printable(line)}" for line in report.script_notes)
    others = [one for one in report.findings if not _in_script(one, report)]
    if rehearsed and parts and others:
        verb = "is" if len(others) == 1 else "are"
        yield f"-- {len(others)} of {len(report.findings)} findings {verb} not part of the script: see its end"
    for finding in report.findings:
        yield from (f"--   {printable(line)}" for line in finding.message.splitlines())
    if parts:
        yield ""
        yield from PREAMBLE
    for part in parts:
        yield ""
        yield part
    for finding in others:
        yield ""
        yield from (f"-- {printable(line)}" for line in finding.message.splitlines())
        yield from finding.repair or (FOLLOWS if report.script_follows else NONE.format(finding.problem),)


def _in_script(finding: Finding, report: Report) -> bool:
    return any((finding.key, finding.attribute) in one.causes for one in report.script)

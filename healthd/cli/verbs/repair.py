"""The SQL that repairs a database."""

from __future__ import annotations

import sys

import click

from healthd.cli.options import finished, one_target, out, verb
from healthd.config.settings import Settings
from healthd.expected.store import read_files
from healthd.report.documents import finding_document
from healthd.report.repair import script
from healthd.rounds.examination import examine


@verb()
@click.option("--target", metavar="NAME", help="The target to examine; required if there are several.")
def repair(settings: Settings, style: str, target: str | None) -> int:
    """Print the SQL that makes a database match sql/ again.

    The output is one SQL script, in an order that works. Nothing is run: review the script, then run it with psql as
    the role that runs migrations. What would lose rows or values is printed as a comment, with the reason.

    \b
    Exit codes, as for "healthd check":
      0  ok
      1  warnings
      2  critical findings
      3  cannot tell

    \b
    Example:
      healthd repair > repair.sql
    """
    chosen = one_target(settings, target)
    report = finished(examine(chosen, read_files(settings)))
    out(
        style,
        script(report, shown=sys.stdout.isatty()).rstrip("\n"),
        [finding_document(one) for one in report.findings],
    )
    return int(report.severity)

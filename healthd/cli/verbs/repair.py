"""The SQL that brings a database back."""

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
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
def repair(settings: Settings, style: str, target: str | None) -> int:
    """Print the SQL that brings a database back to what sql/ says. Runs nothing; exits as `check` does."""
    chosen = one_target(settings, target)
    report = finished(examine(chosen, read_files(settings)))
    out(
        style,
        script(report, shown=sys.stdout.isatty()).rstrip("\n"),
        [finding_document(one) for one in report.findings],
    )
    return int(report.severity)

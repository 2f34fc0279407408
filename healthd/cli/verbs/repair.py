"""The SQL that repairs a database."""

from __future__ import annotations

import sys

import click

from healthd.cli.options import finished, one_target, out, say, verb
from healthd.config.settings import Settings
from healthd.expected.store import read_files
from healthd.replay.rehearsal import rehearse
from healthd.report.documents import finding_document
from healthd.report.repair import script
from healthd.rounds.examination import Round, examined


@verb()
@click.argument("name", required=False, metavar="[TARGET]")
@click.option("--target", metavar="NAME", help="The target to examine; required if there are several.")
@click.option("--rehearsal/--no-rehearsal", default=True, help="Play the script on a scratch server first.")
def repair(settings: Settings, style: str, name: str | None, target: str | None, rehearsal: bool) -> int:
    """Print the SQL that makes a database match sql/ again.

    The output is one SQL script, in an order that works. Nothing is run: review the script, then run it with psql as
    the role that runs migrations. What would lose rows or values is printed as a comment, with the reason. Before it is
    printed, the script is played on a scratch server, in a copy of the database without rows; the result stands at the
    top.

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
    chosen = one_target(settings, name or target)
    files = read_files(settings)
    found = finished(examined(chosen, files))
    report = found.report
    played = finished(_rehearsed(found, settings)) if rehearsal and report.script else ""
    out(
        style,
        script(report, shown=sys.stdout.isatty(), rehearsed=played).rstrip("\n"),
        [finding_document(one) for one in report.findings],
    )
    return int(report.severity)


async def _rehearsed(found: Round, settings: Settings) -> str:
    """Return how the script of a round went on a scratch server, in one line."""
    assert found.reading is not None
    expected, actual = found.sides()
    played = await rehearse(
        found.report.script,
        expected,
        actual,
        migrator=found.reading.ledger.owner,
        postgres_bin=settings.postgres_bin,
        say=say,
    )
    return played.words

"""The SQL that repairs a database, and running it."""

from __future__ import annotations

import sys
from typing import Any

import click

from healthd.cli.options import finished, manner, one_target, out, patient, say, verb
from healthd.config.settings import Settings, Target
from healthd.errors import MigrationFailed
from healthd.expected.store import Files, read_files
from healthd.migrations.repair_run import run_repair, running
from healthd.model.findings import Report
from healthd.model.scripts import Script
from healthd.replay.rehearsal import Rehearsal, rehearse
from healthd.report.documents import finding_document
from healthd.report.repair import script
from healthd.rounds.examination import Round, examine, examined
from healthd.text import some


@verb()
@click.argument("name", required=False, metavar="[TARGET]")
@click.option("--target", metavar="NAME", help="The target to examine; required if there are several.")
@click.option("--rehearsal/--no-rehearsal", default=True, help="Play the script on a scratch server first.")
@click.option("--apply", "applies", is_flag=True, help="Run the script if its rehearsal was clean.")
@patient
def repair(
    settings: Settings,
    style: str,
    name: str | None,
    target: str | None,
    rehearsal: bool,
    applies: bool,
    **options: Any,
) -> int:
    """Print the SQL that makes a database match sql/ again, or run it.

    The output is one SQL script, in an order that works: review it, then run it with psql as the role that runs
    migrations. What would lose rows or values is printed as a comment, with the reason. Before it is printed, the
    script is played on a scratch server, in a copy of the database with made-up rows; the result stands at the
    top.

    Without --apply, nothing is run. With it, healthd runs exactly this script, under the migration lock: only if the
    rehearsal was clean and the database has not changed since. Comments are not run. Then the database is examined
    again, and what still differs is listed.

    \b
    Exit codes, as for "healthd check"; with --apply, after the script was run:
      0  ok
      1  warnings
      2  critical findings; with --apply also: refused, or a statement failed
      3  cannot tell

    \b
    Examples:
      healthd repair > repair.sql
      healthd repair --apply
    """
    if applies and not rehearsal:
        raise click.UsageError("--apply runs only what was rehearsed: it excludes --no-rehearsal")
    chosen = one_target(settings, name or target)
    files = read_files(settings)
    found = finished(examined(chosen, files))
    report = found.report
    played = finished(_rehearsed(found, settings)) if rehearsal and report.script else None
    text = script(report, shown=sys.stdout.isatty(), rehearsed=played.words if played else "").rstrip("\n")
    if not applies:
        out(style, text, [finding_document(one) for one in report.findings])
        return int(report.severity)
    how = manner(settings, options, say)
    ran = finished(run_repair(chosen, files, _clean(chosen, found, played), how)) if running(report.script) else 0
    after = finished(_proven(chosen, files, found))
    document = {
        "target": chosen.name,
        "rehearsed": played.words if played else "",
        "statements": ran,
        "findings": [finding_document(one) for one in after.findings],
    }
    out(style, text, document)
    say(f"{chosen.name}: {ran} statement{'s' * (ran != 1)} run; {_left(after)}")
    return int(after.severity)


async def _rehearsed(found: Round, settings: Settings) -> Rehearsal:
    """Return how the script of a round went on a scratch server."""
    assert found.reading is not None
    expected, actual = found.sides()
    return await rehearse(
        found.report.script,
        expected,
        actual,
        migrator=found.reading.ledger.owner,
        postgres_bin=settings.postgres_bin,
        say=say,
    )


def _clean(target: Target, found: Round, played: Rehearsal | None) -> Script:
    """Return the script of a round; raise MigrationFailed unless its rehearsal was clean and it may run now."""
    if found.report.maintenance:
        raise MigrationFailed(
            f"{target.name}: {found.report.maintenance}; nothing was changed", hint="wait until it has finished"
        )
    if played is None or played.problem or played.left:
        words = played.words if played else "Not rehearsed"
        raise MigrationFailed(
            f"{target.name}: {words}; nothing was changed",
            hint="review the script, and run it with psql: healthd repair",
        )
    return found.report.script


async def _proven(target: Target, files: Files, before: Round) -> Report:
    """Return the report after a repair; raise MigrationFailed if something that it repaired still differs."""
    after = await examine(target, files)
    repaired = {place for one in before.report.script if not one.held for place in one.causes}
    held = {place for one in before.report.script if one.held for place in one.causes}
    still = [one.message for one in after.findings if (one.key, one.attribute) in repaired - held]
    if still:
        raise MigrationFailed(
            f"{target.name}: the script was run, but {some(still)}", hint="see what is left: healthd repair"
        )
    return after


def _left(after: Report) -> str:
    """Return what a round after a repair reports, in words."""
    return some([one.message for one in after.findings]) if after.findings else "nothing differs"

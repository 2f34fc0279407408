"""The SQL that repairs a database, and running it."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

from healthd.cli.completion import target_names
from healthd.cli.fleet import Result, on_targets, several
from healthd.cli.migration_runs import patient, run_options
from healthd.cli.options import finished, say, verb
from healthd.config.settings import Settings, Target
from healthd.database.dsn import Dsn
from healthd.errors import MigrationFailed
from healthd.expected.store import Files, read_files
from healthd.migrations.repair_run import run_repair
from healthd.model.findings import Report
from healthd.model.scripts import Script, running
from healthd.replay.rehearsal import Rehearsal, rehearse
from healthd.report.documents import finding_document
from healthd.report.repair_text import connecting, script
from healthd.rounds.examination import examine, examined
from healthd.rounds.round import Round
from healthd.text import some


@verb()
@click.argument("name", required=False, metavar="[TARGET]", shell_complete=target_names)
@several
@click.option("--rehearsal/--no-rehearsal", default=True, help="Play the script on a scratch server first.")
@click.option("--apply", "applies", is_flag=True, help="Run the script if its rehearsal was clean.")
@patient
def repair(
    settings: Settings,
    style: str,
    name: str | None,
    target: str | None,
    every: bool,
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

    With --all, or a pattern, there is one script for each target; it begins with \\connect to its database.

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
    name = name or target
    run = partial(_apply, options=options) if applies else partial(_print, rehearsal=rehearsal)
    return on_targets(settings, style, name, run, every=every, in_sql=True)


def _print(settings: Settings, target: Target, *, rehearsal: bool) -> Result:
    """Return the script for a target."""
    found = finished(examined(target, read_files(settings)))
    played = finished(_rehearsed(found, settings)) if rehearsal and found.report.script else None
    document = [finding_document(one) for one in found.report.findings]
    head = connecting(Dsn.of(target.migrating.dsn).url)
    return Result(int(found.report.severity), _script(found.report, played), document, exact=True, head=head)


def _script(report: Report, played: Rehearsal | None) -> str:
    return script(report, shown=sys.stdout.isatty(), rehearsed=played.words if played else "").rstrip("\n")


def _apply(settings: Settings, target: Target, *, options: dict[str, Any]) -> Result:
    """Rehearse the script for a target, run it, and examine the target again."""
    files = read_files(settings)
    found = finished(examined(target, files))
    report = found.report
    played = finished(_rehearsed(found, settings)) if report.script else None
    how, ran = run_options(settings, dict(options), say), 0
    if running(report.script):
        ran = finished(run_repair(target.migrating, files, _clean(target, found, played), how))
    after = finished(_proven(target, files, found))
    document = {
        "target": target.name,
        "rehearsed": played.words if played else "",
        "statements": ran,
        "findings": [finding_document(one) for one in after.findings],
    }
    say(f"{ran} statement{'s' * (ran != 1)} run; {_left(after)}")
    return Result(int(after.severity), _script(report, played), document, exact=True)


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

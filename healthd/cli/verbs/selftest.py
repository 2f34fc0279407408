"""Prove that every damage to the schema is reported."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from healthd.cli.fleet import Result, of_target, on_projects
from healthd.cli.options import finished, progress, say, verb
from healthd.config.settings import Settings
from healthd.model.severity import Severity
from healthd.report.lines import Line, plain
from healthd.text import printable

if TYPE_CHECKING:
    from healthd.selftest.trial import Outcome, Selftest

EACH = 2
REPAIRED = {True: "repaired", False: "not repaired", None: "its repair needs a decision"}
LONGEST = 200


@verb(database=False)
@click.option(
    "--each",
    type=click.IntRange(min=1),
    default=EACH,
    show_default=True,
    metavar="NUMBER",
    help="Damage at most so many objects of a kind in each way.",
)
@of_target
def selftest(settings: Settings, style: str, each: int, target: str | None) -> int:
    """Prove on your own schema that healthd reports what happens to it.

    The files build a database on a scratch server. There, objects are dropped, changed and opened to everybody, one
    at a time; each time a round must report it, and its repair is run. No other database is used.

    \b
    Exit codes:
      0  every damage was reported
      2  a damage was missed
      3  cannot tell: the scratch server cannot start

    \b
    Example:
      healthd selftest --each 10
    """
    return on_projects(settings, style, target, partial(_selftest, each=each))


def _selftest(settings: Settings, *, each: int) -> Result:
    from healthd.expected.files import read_migrations  # --help needs no driver
    from healthd.expected.store import Files, read_lock
    from healthd.selftest.trial import MISSED, NOT_DONE, REPORTED, try_all

    migrations = read_migrations(settings.sources)
    files = Files.of(read_lock(settings), migrations)
    with progress() as begin:
        found = finished(
            try_all(files, migrations, each=each, postgres_bin=settings.postgres_bin, say=say, begin=begin)
        )
    repaired = sum(one.repaired is True for one in found.outcomes)
    lines = [_line(one, MISSED) for one in found.outcomes]
    done = len(found.outcomes) - found.number(NOT_DONE)
    say(f"{found.number(REPORTED)} of {done} damages reported, {repaired} repaired, on PostgreSQL {found.server}")
    return Result(2 if found.number(MISSED) else 0, plain(lines), _document(found))


def _line(one: Outcome, missed: str) -> Line:
    words = f"{one.state} ({one.why})" + (f", {REPAIRED[one.repaired]}" if one.state == "reported" else "")
    words += f" ({one.left[:LONGEST]})" if one.repaired is False else ""
    severity = Severity.CRITICAL if one.state == missed else Severity.OK
    return Line((printable(f"{one.damage.key}: {one.damage.words}"), printable(words)), severity, marked=one.state)


def _document(found: Selftest) -> dict[str, Any]:
    rows = [
        {
            "key": str(one.damage.key),
            "damage": one.damage.words,
            "statements": list(one.damage.statements),
            "state": one.state.replace(" ", "_"),
            "why": one.why,
            "repaired": one.repaired,
            "left": one.left,
        }
        for one in found.outcomes
    ]
    return {"server": found.server, "damages": rows}

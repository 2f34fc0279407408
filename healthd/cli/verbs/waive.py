"""Accept a difference, with a reason, an owner and an end."""

from __future__ import annotations

import asyncio
import getpass
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from healthd.cli.chosen_target import one_target, watched
from healthd.cli.completion import problem_names, target_names
from healthd.cli.fleet import one_project
from healthd.cli.options import finished, out, say, verb
from healthd.config.settings import Settings
from healthd.errors import ConfigError, NothingToWaive
from healthd.expected.store import add_waivers, read_files, today, waivers_file
from healthd.expected.waivers import day, read_waivers, written
from healthd.model.waivers import Waiver
from healthd.text import printable, some

if TYPE_CHECKING:
    from healthd.config.settings import Target
    from healthd.expected.store import Files
    from healthd.model.findings import Report

MOST_DAYS = 3660


@verb()
@click.argument("key")
@click.option("--until", "until", required=True, metavar="DATE", help="Last day (UTC): YYYY-MM-DD, or days: 30d.")
@click.option("--reason", required=True, metavar="TEXT", help="Why the difference is accepted.")
@click.option("--owner", metavar="NAME", help="Who is responsible (default: the current user).")
@click.option(
    "--target",
    metavar="NAME",
    shell_complete=target_names,
    help="Waive it on this target only (default: on all targets).",
)
@click.option("--attribute", metavar="NAME", help="Waive only a difference of this attribute.")
@click.option("--problem", metavar="NAME", shell_complete=problem_names, help="Waive only this problem.")
@click.option("--any-value", is_flag=True, help="Also cover later values of the attribute, not only the current one.")
@click.option("--force", is_flag=True, help="Write the entry even if there is no finding now.")
def waive(
    settings: Settings,
    style: str,
    key: str,
    until: str,
    reason: str,
    owner: str | None,
    target: str | None,
    attribute: str | None,
    problem: str | None,
    any_value: bool,
    force: bool,
) -> int:
    """Accept a difference until a date.

    KEY is the name of an object as "healthd check" prints it, or a pattern with * and ?. One entry for each of its
    differences is appended to sql/waivers.toml, which belongs into version control. A waived finding stays on the page
    and in JSON, marked as waived, and counts for nothing else: no alert, no exit code, and migrate is not refused.
    When the date has passed, the finding returns, and the waiver itself is reported.

    An entry covers the difference only as it is now, unless --any-value is given or KEY is a pattern. What cannot be
    determined, the state of a migration, and an endpoint cannot be waived.

    \b
    Exit codes:
      0  written
      2  nothing to waive: no finding has this key now
      3  cannot tell, or the file or an argument is invalid

    \b
    Examples:
      healthd waive index:public.orders_by_day --until 30d --reason OPS-12
      healthd waive "grant:table.public.*.bi" --until 2027-01-31 --reason OPS-40
    """
    last = _last_day(until, today())
    wanted = Waiver(key, reason, owner or _user(), last, attribute, problem, target=target)
    read_waivers(written(wanted), "this waiver")  # refuse what the file could not contain, before a database is asked
    settings = one_project(settings, target)
    entries = (wanted,) if force else _entries(settings, wanted, any_value=any_value)
    text = add_waivers(settings, entries)
    path = waivers_file(settings)
    rows = [{name: getattr(one, name) for name in FIELDS} | {"until": one.until.isoformat()} for one in entries]
    out(style, text.rstrip("\n"), {"file": str(path), "waivers": rows})
    say(f"wrote {path}: review and commit it")
    return 0


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # a container without an entry for this user
        raise ConfigError("the current user has no name", hint="name the owner: --owner NAME") from error


FIELDS = ("key", "attribute", "problem", "actual", "target", "reason", "owner")


def _last_day(text: str, now: date) -> date:
    """Return the last day: a date, or a number of days from today."""
    hint = "write YYYY-MM-DD, or a number of days such as 30d"
    if number := re.fullmatch(r"([0-9]{1,4})d", text, re.ASCII):
        if not 0 < int(number[1]) <= MOST_DAYS:
            raise ConfigError(f"--until {printable(text)}: not from 1d to {MOST_DAYS}d", hint=hint)
        return now + timedelta(days=int(number[1]))
    try:
        last = day(text)
    except ValueError:
        raise ConfigError(f"--until {printable(text)}: not a date", hint=hint) from None
    if last < now:
        raise ConfigError(f"--until {text}: the date has passed", hint=hint)
    return last


def _entries(settings: Settings, wanted: Waiver, *, any_value: bool) -> tuple[Waiver, ...]:
    """Return the entries for what is found now; raise if nothing is, or if that is unknown."""
    from healthd.comparison.waived import proposed

    if wanted.target:
        targets: Sequence[Target] = (one_target(settings, wanted.target),)
    else:
        settings = watched(settings)
        settings.refuse_unlisted()
        targets = settings.targets
    reports = finished(_rounds(targets, read_files(settings)))
    findings = [one for report in reports for one in report.findings]
    if entries := proposed(findings, wanted, any_value=any_value):
        return entries
    if blind := [report.findings[0].message for report in reports if report.failure]:
        raise ConfigError(f"cannot tell what there is to waive: {blind[0]}", hint="try again; or use --force")
    if why := _why_not(reports, wanted):
        raise NothingToWaive(f"{wanted.words} cannot be waived: {why}", hint="healthd docs waivers")
    known = sorted({str(one.key) for one in findings})
    there = f"keys of findings: {some(known, 10)}" if known else "there is no finding now"
    raise NothingToWaive(f"no finding matches {wanted.words}", hint=f"{there}; or use --force")


async def _rounds(targets: Sequence[Target], files: Files) -> list[Report]:
    from healthd.rounds.examination import examined

    return [one.report for one in await asyncio.gather(*(examined(target, files) for target in targets))]


def _why_not(reports: Sequence[Report], wanted: Waiver) -> str:
    """Return why findings with this key cannot be waived, in words; empty if there are none."""
    from healthd.comparison.waived import may_be_waived
    from healthd.model.waivers import is_difference, matches

    findings = [one for report in reports for one in report.findings if matches(wanted.key, str(one.key))]
    for one in findings:
        if not may_be_waived(one):
            return f"{one.problem} is not a difference that could be accepted"
        if wanted.problem is None and not is_difference(one.problem, one.check):
            return f"{one.problem} is not a difference from sql/; to waive it, add --problem {one.problem}"
        if one.attribute != wanted.attribute:
            return f"its attribute {one.attribute} differs; to waive it, add --attribute {one.attribute}"
    waived = [one for report in reports for one in report.waived if matches(wanted.key, str(one.finding.key))]
    return f"it is waived already, until {waived[0].waiver.until}" if waived else ""

"""One round for every target."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from healthd.background import Later
from healthd.cli.chosen_target import watched
from healthd.cli.completion import target_names
from healthd.cli.contracts import contract_called, contracts_option
from healthd.cli.fleet import candidates, named_by
from healthd.cli.options import finished, out, say, verb
from healthd.config.settings import Settings
from healthd.errors import ConfigError
from healthd.rounds.opening import begin
from healthd.text import did_you_mean, natural

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from healthd.config.settings import Endpoint, Target
    from healthd.expected.store import Files
    from healthd.model.findings import Report
    from healthd.report.ci.annotations import Outcome
    from healthd.report.ci.findings import Origins
    from healthd.rounds.opening import Opening


AT_ONCE = 8  # targets that are all connected at once; more take turns
IN_ALL = 64  # rounds of those that take turns; one that waits longer than a second for its server is not counted


@verb(ci=True)
@click.option(
    "--target",
    metavar="NAME",
    shell_complete=target_names,
    help="Check only this target, group, pattern (*, ?), or endpoint (endpoint:NAME).",
)
@contracts_option("Check this contract")
def check(settings: Settings, style: str, target: str | None, contracts: tuple[str, ...]) -> int:
    """Check every target and every endpoint once.

    Use this to find out whether the databases still match sql/, in a terminal, in cron or in CI. It is one round of
    the daemon, and only reads. Each finding is printed with the SQL that repairs it.

    --contract checks the given contract instead of those in yoyo.ini: a file that "healthd contract export" wrote,
    or a name in yoyo.ini. Use it in CI before you deploy the application. Endpoints are not requested then.

    \b
    Exit codes:
      0  ok
      1  warnings
      2  critical findings
      3  cannot tell: a target was not examined completely

    \b
    Examples:
      healthd check
      healthd check --contract contracts/shop.json
    """
    if all(one.name != target for one in settings.endpoints):
        settings = watched(settings, target)
    targets, endpoints = _chosen(settings, target)
    if contracts:
        if target and endpoints:
            raise click.UsageError("--contract applies to databases, not to endpoints")
        chosen = tuple(contract_called(settings, one) for one in contracts)
        targets, endpoints = [replace(one, contracts=chosen) for one in targets], ()
    reports = sorted(finished(_all_rounds(settings, targets, endpoints)), key=lambda one: natural(one.target))

    _print(settings, style, reports)
    return int(max(one.severity for one in reports))


def _print(settings: Settings, style: str, reports: Sequence[Report]) -> None:
    from healthd.cli.screen import shown
    from healthd.model.severity import Severity
    from healthd.report.documents import document, lines
    from healthd.report.lines import plain

    found = [line for one in reports for line in lines(one, settings.external_url)]
    made = {} if style == "text" else dict(_made(settings, reports))
    documents = [document(one, made.get(one.target, {})) for one in reports]
    out(style, plain(found), documents, partial(shown, found), partial(_outcome, settings, reports, made))
    if len(reports) > 1:
        say(f"{sum(one.severity is Severity.OK for one in reports)} of {len(reports)} ok")


def _made(settings: Settings, reports: Sequence[Report]) -> Iterator[tuple[str, Origins]]:
    """Yield, by target, where the objects of the findings were made, or changed last by an applied migration."""
    from healthd.cli.ci_output import relative
    from healthd.expected.files import read_migrations
    from healthd.expected.origins import origins
    from healthd.expected.store import read_lock

    projects = {one.name: settings.of(one) for one in settings.targets}
    read: dict[Path, Any] = {}
    for report in reports:
        if not report.findings or report.asked:
            continue
        own = projects.get(report.target, settings)
        if own.lock not in read:
            read[own.lock] = read_lock(own), read_migrations(own.sources)
        lock, migrations = read[own.lock]
        applied = {one.id for one in report.migrations if one.applied_at}
        places = [(one.key, one.attribute) for one in report.findings]
        found = origins(places, lock.on(report.server_version or 0), migrations, applied or None)
        yield report.target, {place: replace(one, file=relative(one.file)) for place, one in found.items()}


def _outcome(settings: Settings, reports: Sequence[Report], made: Mapping[str, Origins]) -> Outcome:
    """Return the reports for CI systems; what no migration made is shown in the lock file of its target."""
    from healthd.cli.ci_output import home_of
    from healthd.report.ci.annotations import Outcome
    from healthd.report.ci.findings import of_report

    locks = {one.name: str(settings.of(one).lock) for one in settings.targets}
    known, book = str(settings.lock), settings.runbook_url
    annotations = (
        found
        for one in reports
        for found in of_report(one, made.get(one.target, {}), lock=locks.get(one.target, known), runbook=book)
    )
    return home_of(settings, Outcome(tuple(annotations)), "check")


async def _all_rounds(settings: Settings, targets: Sequence[Target], endpoints: Sequence[Endpoint]) -> list[Report]:
    """Return the reports; the servers are connected while what judges them is loaded."""
    rounds: list[Awaitable[Report]] = []
    unlisted = [one for one in targets if one.databases]
    if targets := [one for one in targets if not one.databases]:
        chosen = replace(settings, targets=tuple(targets), groups=()).projects()
        projects = {path: Later(partial(_load, own)) for path, own in chosen.items()}
        begun = [(one, begin(one)) for one in targets] if len(targets) <= AT_ONCE else []
        examine_alone = await asyncio.to_thread(_load_round)
        rounds += [examine_alone(one, projects[settings.of(one).lock], opening) for one, opening in begun]
        if not begun:
            rounds += _in_turns(targets, lambda one: examine_alone(one, projects[settings.of(one).lock], begin(one)))
    if endpoints:
        from healthd.rounds.endpoints import examine_endpoint  # httpx takes 0.1 s

        rounds += map(examine_endpoint, endpoints)
    reports = await asyncio.gather(*rounds)
    if unlisted:
        from healthd.rounds.database_lists import unlisted_report

        reports += [unlisted_report(one, settings.unlisted[one.name]) for one in unlisted]
    return reports


def _in_turns(targets: Sequence[Target], examine: Callable[[Target], Awaitable[Report]]) -> list[Awaitable[Report]]:
    """Return the reports of many targets, of which each server examines a few at a time."""
    from healthd.daemon.turns import Turns
    from healthd.database.servers import servers_of

    turns = Turns(limit=IN_ALL)

    async def examined(target: Target) -> Report:
        async with turns.turn(target.name, servers_of(target.dsn)):
            return await examine(target)

    return [examined(one) for one in targets]


def _chosen(settings: Settings, name: str | None) -> tuple[Sequence[Target], Sequence[Endpoint]]:
    """Return the endpoint of this name, or the targets of this name or pattern; without a name, all of them.

    The settings are `watched`, unless the name is that of an endpoint.
    """
    endpoints = {one.name: one for one in settings.endpoints}
    if name in endpoints:
        return (), (endpoints[name],)
    targets = candidates(settings)
    if name is None:
        return targets, settings.endpoints
    if found := named_by(targets, name):
        return found, ()
    names = [*(one.name for one in targets), *endpoints]
    known, meant = ", ".join(sorted(names, key=natural)), did_you_mean(name, names)
    raise ConfigError(f"unknown target {name!r}", hint=f"{meant}known targets: {known}")


def _load_round() -> Callable[[Target, Later[Files], Opening], Awaitable[Report]]:
    """Return what examines a target; it is imported while the servers start their sessions."""
    from healthd.rounds.examination import examine_alone

    return examine_alone


def _load(settings: Settings) -> Files:
    """Return the files; also import the module that is needed later, while the servers are busy."""
    from healthd.expected.files import read_migrations
    from healthd.expected.lockfile import disagreements
    from healthd.expected.store import Files, read_lock

    migrations, lock = read_migrations(settings.sources), read_lock(settings)
    for line in sorted(disagreements(lock, migrations)):
        say(f"{settings.lock.name}: {line}")
    from healthd.report import documents  # noqa: F401

    return Files.of(lock, migrations)

"""The round of a group: ask its server for the names of the databases, and judge whether each of them is a target."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from healthd.checks.databases import PROBLEMS, check
from healthd.config.databases import Lists, Names, concerns, listing, with_databases
from healthd.config.settings import Settings, Target
from healthd.database.connection import dial
from healthd.database.database_names import database_names
from healthd.database.dsn import Dsn
from healthd.database.idle_connections import Places
from healthd.database.open_connections import Opened, collecting
from healthd.errors import ConfigError, DatabaseUnreachable, HealthdError
from healthd.model.findings import Evidence, Report, Verdict
from healthd.model.observations import Listed
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot
from healthd.rounds.deadline import TimeUp, within
from healthd.rounds.failed_round import blind
from healthd.rounds.timing import CONNECT, LOOK, question, timing

AT_ONCE = 16  # servers that a verb asks at a time


async def read_names(group: Target, places: Places | None = None) -> Names:
    """Return the names of the databases on the server of a group.

    Raises HealthdError if it does not answer within the deadline, or not with a list.
    """
    opened = Opened()
    try:
        with collecting(opened):
            return await within(group.deadline_s, _names(group, places), opened)
    except TimeUp:
        words = f"cannot list the databases at {Dsn.of(group.dsn).server}: no answer within {group.deadline_s:g} s"
        raise DatabaseUnreachable(words, hint="see deadline_s in yoyo.ini") from None


async def _names(group: Target, places: Places | None) -> Names:
    with question(CONNECT):
        connection = await dial(group.dsn, timeout_s=group.deadline_s, places=places)
    try:
        with question(LOOK):
            return await database_names(connection)
    finally:
        await connection.close()


async def with_lists(settings: Settings, name: str | None) -> Settings:
    """Return the settings with the databases of the groups that can have a target of this name or pattern, or of all.

    The other groups are left out. The list of a server that does not answer is an error in `unlisted`.
    """
    exact = any(one.name == name for one in settings.targets)
    groups = () if exact else tuple(one for one in settings.groups if name is None or concerns(one, name))
    return with_databases(replace(settings, groups=groups), await _lists(groups))


async def _lists(groups: Iterable[Target]) -> Lists:
    """Return the databases of the servers of these groups, some servers at a time; an error in place of a list."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def read(group: Target) -> Names | HealthdError:
        async with turns:
            try:
                return await read_names(group)
            except HealthdError as error:
                return error

    asked = tuple(groups)
    found = await asyncio.gather(*map(read, asked))
    return {group.name: names for group, names in zip(asked, found, strict=True)}


async def examine_group(settings: Settings, group: Target, places: Places | None = None) -> tuple[Report, Names | None]:
    """Return the report of one round of a group, and the names that its server has sent; None if it has not."""
    started_at, start_s = datetime.now(UTC), monotonic()
    names: Names | None = None
    with timing() as taken:
        try:
            names = await read_names(group, places)
            report = _report(settings, group, names)
        except HealthdError as error:
            report = unlisted_report(group, error)
    about = replace(report, started_at=started_at, duration_s=monotonic() - start_s, questions=tuple(taken))
    return about, names


def unlisted_report(group: Target, error: HealthdError) -> Report:
    """Return the report of a group whose databases are not all known: whether they are well is not known either."""
    report = blind(group, error)
    checks = dict.fromkeys(("connection", "databases"), Severity.UNKNOWN)
    if isinstance(error, ConfigError):  # the server has answered
        (finding,) = report.findings
        found = replace(finding, problem=PROBLEMS[0].name, actual="no target", check="databases")
        report, checks["connection"] = replace(report, findings=(found,)), Severity.OK
    return replace(report, checks=checks, database=Dsn.of(group.dsn).place)


def _report(settings: Settings, group: Target, names: Names) -> Report:
    """Return the report of a group whose server has sent these names."""
    made = listing(settings, group, names)
    listed = Listed(group.name, group.databases, len(made.targets), made.left_out)
    nothing = Snapshot(0, {})
    findings = tuple(check(Evidence(group.name, nothing, nothing, (), listed=(listed,))))
    worst = max((one.severity for one in findings), default=Severity.OK)
    verdict = Verdict(findings=findings, checks={"connection": Severity.OK, "databases": worst})
    report = Report.of(verdict, group.name, datetime.now(UTC), 0.0)
    return replace(report, listed=listed, database=Dsn.of(group.dsn).place)

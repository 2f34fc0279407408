"""The public API as a user's type checker sees it; nothing here runs."""

from pathlib import Path
from typing import Any, assert_type

import psycopg

import healthd
from healthd import (
    Contract,
    Difference,
    Files,
    Finding,
    HealthdError,
    Key,
    Report,
    Settings,
    Severity,
    Snapshot,
    Target,
    diff,
    examine,
    read_files,
    read_settings,
    take_snapshot,
    violations,
)


async def compare(
    connection: psycopg.AsyncConnection[Any], dictionaries: psycopg.AsyncConnection[dict[str, Any]]
) -> None:
    expected = assert_type(await take_snapshot(connection), Snapshot)
    actual = await healthd.take_snapshot(dictionaries)
    found = assert_type(diff(expected, actual), tuple[Difference, ...])
    for difference in found:
        assert_type(str(difference.key), str)
        assert_type(difference.attribute, str | None)
    assert_type(expected.server_version, int)


async def look(file: Path) -> int:
    settings = assert_type(read_settings(file), Settings)
    target = assert_type(settings.target("machines"), Target)
    files = assert_type(read_files(settings.of(target)), Files)
    return judge(assert_type(await examine(target, files), Report))


async def look_again() -> int:
    try:
        return judge(await examine("postgresql:///machines"))
    except HealthdError as error:
        assert_type(error.hint, str)
        return assert_type(error.exit_code, int)


async def ready(connection: psycopg.AsyncConnection[Any], contract: Contract) -> bool:
    return not assert_type(await violations(connection, contract), tuple[Finding, ...])


def judge(report: Report) -> int:
    worst = assert_type(report.severity, Severity)
    for finding in report.findings:
        assert_type(finding, Finding)
        assert_type(finding.problem, str)
        assert_type(finding.key, Key)
        assert_type(finding.message, str)
        assert_type(finding.repair, tuple[str, ...])
        if finding.severity is Severity.CRITICAL and finding.severity > Severity.WARNING:
            return int(worst)
    return 0


def believe() -> Contract:
    return Contract(
        "machines_api",
        tables={"public.machines": {"id": "uuid", "notes": None}},
        enums={"public.machinestatus": ("active", "inactive")},
        role="machines_api",
        privileges={"public.machines": ("SELECT", "INSERT")},
    )


def refuse(finding: Finding, snapshot: Snapshot) -> None:
    finding.message = "another"  # type: ignore[misc] # a record does not change
    take_snapshot(snapshot)  # type: ignore[arg-type,unused-coroutine] # a connection is what it reads


assert_type(healthd.__version__, str)

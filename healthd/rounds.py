"""One round on one target: read, compare, judge."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.grants import Grant
from healthd.causes import causes
from healthd.checks import CHECKS
from healthd.config import Target, read_settings
from healthd.database import Reading, connect, probe_access, probe_values, read, translated
from healthd.errors import DatabaseFailed, DatabaseUnreachable, HealthdError, PermissionDenied
from healthd.migrations.status import states
from healthd.model import (
    UNREADABLE,
    Access,
    Contract,
    Difference,
    Evidence,
    Finding,
    Key,
    Report,
    RoundTrip,
    Severity,
    Snapshot,
    diff,
)
from healthd.quiet import ask, question
from healthd.roles import comparable, named
from healthd.sources import Files, read_files

AGAIN_S = 0.2  # between a reading that shows trouble and the one that confirms it
FULL_S = 600.0  # a quiet database is read in full this often all the same


async def examine(target: Target | str, files: Files | None = None) -> Report:
    """Return the report of one round; trouble in or around the database is a finding, never an exception.

    `target` may be a URL or key=value text. Without `files` it is compared with those that the yoyo.ini of
    this folder names; what is wrong with them is raised, as HealthdError.
    """
    if isinstance(target, str):
        (target,) = read_settings(database=target).targets
    return (await examine_again(target, files or read_files(read_settings()), None)).report


@dataclass(frozen=True, slots=True)
class Round:
    """A report, and what tells whether it still holds: the database's answer to one cheap question."""

    report: Report
    files: Files
    question: str = ""
    mark: str = ""
    full_at: float = 0.0  # monotonic seconds: when everything was last read


async def examine_again(target: Target, files: Files, last: Round | None) -> Round:
    """Return the next round; it reads everything only when something moved since the last one."""
    started_at, start = datetime.now(UTC), monotonic()
    asked, mark, full_at = "", "", start
    try:
        async with asyncio.timeout(target.deadline_s), connect(target.dsn, timeout_s=target.deadline_s) as connection:
            if last is not None and await _quiet(connection, last, files):
                report, asked, mark, full_at = last.report, last.question, last.mark, last.full_at
            else:
                asked, mark = await _asked(connection)
                report = await _examine(target, files, connection)
    except HealthdError as error:
        report = blind(target, error)
    except TimeoutError:
        late = DatabaseUnreachable(f"no answer within {target.deadline_s:g} s", hint="deadline_s in yoyo.ini")
        report = replace(blind(target, late), failure="timeout")
    report = replace(report, started_at=started_at, duration_s=monotonic() - start)
    return Round(report, files, asked, mark, full_at)


async def _asked(connection: Any) -> tuple[str, str]:
    """Return the question and its answer; empty when we may not ask: then every round reads everything."""
    try:
        asked = await question(connection)
        return asked, await ask(connection, asked)
    except (PermissionDenied, DatabaseFailed):
        return "", ""


async def _quiet(connection: Any, last: Round, files: Files) -> bool:
    """Return whether the last report still holds: it saw everything, not too long ago, and nothing moved since."""
    blinded = any(severity is Severity.UNKNOWN for severity in last.report.checks.values())
    if blinded or not last.mark or last.files is not files or monotonic() - last.full_at > FULL_S:
        return False
    try:
        with translated():
            return await ask(connection, last.question) == last.mark
    except HealthdError:  # a table that the question names is gone, or no longer ours to read
        return False


async def _examine(target: Target, files: Files, connection: Any) -> Report:
    """Read and judge; what looks wrong is read a second time, and only what is wrong twice is told."""
    once = None
    while True:
        reading = await read(connection)
        reading.ledger.readable()
        trips = await probe_values(connection, reading.snapshot)
        access = await probe_access(connection, target.contracts)
        report = conclude(target, files, reading, trips, access)
        if not report.findings:
            return report
        if once is not None:
            return _confirmed(once, report)
        once = report
        await asyncio.sleep(AGAIN_S)


def _confirmed(once: Report, again: Report) -> Report:
    """Return the second report without the findings that the first did not have."""
    seen = {(one.problem, one.key, one.attribute) for one in once.findings}
    kept = tuple(one for one in again.findings if (one.problem, one.key, one.attribute) in seen)
    return replace(again, findings=kept, checks=_verdicts(kept))


def conclude(
    target: Target,
    files: Files,
    reading: Reading,
    trips: Iterable[RoundTrip] = (),
    access: Iterable[Access] = (),
) -> Report:
    """Return what a reading means: pure, so that a test can give it literals."""
    lock = files.lock
    locked = [one.id for one in lock.migrations]
    migrations = tuple(states(files.migrations, locked, reading.ledger.applied))
    applied = [one.id for one in reading.ledger.applied]
    expected, actual = comparable(lock.expected(applied), _without_reader(reading), reading.ledger.owner)
    differences = tuple(one for one in causes(diff(expected, actual), KINDS) if not _agreed(one, target.contracts))
    if reading.maintenance:
        # What the running migration changes, or keeps locked, is neither drift nor in order yet.
        moving = {effect.key for one in lock.without(applied) for effect in one.effects}
        differences = tuple(one for one in differences if one.key not in moving and one.attribute != UNREADABLE)
    in_files = {name for name, _ in files.migrations}
    evidence = Evidence(
        target=target.name,
        expected=expected,
        actual=actual,
        differences=differences,
        contracts=target.contracts,
        migrations=migrations,
        unlocked=tuple(one for one in applied if one not in locked and one in in_files),
        round_trips=tuple(trips),
        access=tuple(access),
        kinds=KINDS,
    )
    findings = tuple(replace(finding, check=name) for name, check in CHECKS.items() for finding in check(evidence))
    findings = tuple(named(one, reading.snapshot, reading.ledger.owner) for one in sorted(findings, key=_rank))
    return Report(
        target=target.name,
        started_at=datetime.min.replace(tzinfo=UTC),
        duration_s=0.0,
        findings=findings,
        checks=_verdicts(findings),
        migrations=migrations,
        maintenance=reading.maintenance,
        server_version=reading.snapshot.server_version,
    )


def _without_reader(reading: Reading) -> Snapshot:
    """Return the snapshot without the privilege that we ask for ourselves: to enter the schema of the books."""
    objects = dict(reading.snapshot.objects)
    for schema in reading.ledger.schemas:
        key = Key("grant", ("schema", schema, reading.ledger.reader or ""))
        if objects.get(key) == Grant(("USAGE",)):
            del objects[key]
    return replace(reading.snapshot, objects=objects)


def _rank(finding: Finding) -> tuple[int, str, int, Key]:
    """Return the order of telling: the worst first, and what others need to be made before them."""
    kinds = list(KINDS)
    made = kinds.index(finding.key.kind) if finding.key.kind in KINDS else len(kinds)
    return -finding.severity, finding.problem, made, finding.key


def _agreed(one: Difference, contracts: Iterable[Contract]) -> bool:
    """Return whether a privilege that sql/ does not give is one that a contract asks for."""
    if one.key.kind != "grant" or one.actual is None or one.attribute == UNREADABLE:
        return False
    before = one.expected if one.attribute else ()
    after = one.actual if one.attribute else one.actual.privileges
    kind, *path, grantee = one.key.path
    asked: set[str] = set()
    for contract in contracts:
        if contract.role == grantee:
            asked |= {"USAGE"} if kind == "schema" else set()
            for table, privileges in contract.privileges.items():
                if kind == "table" and Key.parse(f"table:{table}").path == tuple(path):
                    asked |= set(privileges)
    return set(before) <= set(after) and {word.partition("/")[0] for word in set(after) - set(before)} <= asked


def _verdicts(findings: Iterable[Finding]) -> dict[str, Severity]:
    verdicts = dict.fromkeys(("connection", *CHECKS), Severity.OK)
    for finding in findings:
        verdicts[finding.check] = max(verdicts.get(finding.check, Severity.OK), finding.severity)
    return verdicts


def blind(target: Target, error: HealthdError) -> Report:
    """Return the report of a round that could not see: every check is unknown."""
    denied = isinstance(error, PermissionDenied)
    grant = error.grant if isinstance(error, PermissionDenied) else ""
    unreachable = isinstance(error, DatabaseUnreachable)
    finding = Finding(
        "permission_denied" if denied else "database_unreachable",
        Key("database", (target.name,)),
        str(error),
        Severity.UNKNOWN,
        expected="a round that sees everything",
        actual="refused" if denied else "no answer",
        repair=(grant,) if grant else (),
        facts={"grant": grant} if denied else {},
        check="connection",
    )
    return Report(
        target=target.name,
        started_at=datetime.now(UTC),
        duration_s=0.0,
        findings=(finding,),
        checks=dict.fromkeys(("connection", *CHECKS), Severity.UNKNOWN),
        failure="denied" if denied else "unreachable" if unreachable else "error",
    )

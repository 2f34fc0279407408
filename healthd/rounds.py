"""One round on one target: read, compare, judge."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.grants import Grant
from healthd.causes import causes, of_their_own
from healthd.checks import CHECKS
from healthd.config import Target, read_settings
from healthd.consequences import consequences
from healthd.database import (
    Beside,
    Ledger,
    Reading,
    connect,
    dial,
    probe_access,
    probe_values,
    read,
    read_beside,
)
from healthd.digest import Digest
from healthd.errors import DatabaseFailed, DatabaseUnreachable, HealthdError, PermissionDenied
from healthd.judge import with_consequences
from healthd.migrations.lockfile import LockFile
from healthd.migrations.status import states
from healthd.model import (
    NAME_OF,
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
    quote,
)
from healthd.omitted import whole
from healthd.partitions import come_and_go, holder, with_partitions
from healthd.quiet import Mark, look, take_mark
from healthd.renames import aligned
from healthd.roles import comparable, for_comparison, named
from healthd.sources import Files, read_files

AGAIN_S = 0.2  # between a reading that shows trouble and the one that confirms it
ANEW_S = 600.0  # a quiet database is read in full, on a new connection, this often all the same


async def examine(target: Target | str, files: Files | None = None) -> Report:
    """Return the report of one round; trouble in or around the database is a finding, never an exception.

    `target` may be a URL or key=value text. Without `files` it is compared with those that the yoyo.ini of
    this folder names; what is wrong with them is raised, as HealthdError.
    """
    if isinstance(target, str):
        (target,) = read_settings(database=target).targets
    only = await examine_again(target, files or read_files(read_settings()), None)
    await only.close()
    return only.report


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of sending values, and what that depended on: the types, the enums, the settings of new sessions."""

    of: tuple[Any, ...]
    trips: tuple[RoundTrip, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """A connection that goes from round to round, since when (monotonic seconds), and what it was told on it.

    Without a mark everything must be read again.
    """

    connection: Any
    dialed_at: float
    mark: Mark | None = None
    tried: Tried | None = None
    beside: Beside | None = None  # what moves slowly, and no snapshot holds: read once on each connection


@dataclass(frozen=True, slots=True)
class Round:
    """A report, and what the next round can build on."""

    report: Report
    files: Files
    session: Session | None = None

    async def close(self) -> None:
        """Close the connection; a second time does nothing."""
        if self.session is not None:
            await self.session.connection.close()


async def examine_again(target: Target, files: Files, last: Round | None) -> Round:
    """Return the next round; it reads everything only when something moved since the last one.

    The connection goes from one round to the next, for the server answers faster whom it knows; every ten minutes
    there is a new one all the same. A round that is followed by another is closed here, the last one by the caller.
    """
    started_at, start = datetime.now(UTC), monotonic()
    following: Round | None = None
    try:
        async with asyncio.timeout(target.deadline_s):
            following = await _next(target, files, last)
    except HealthdError as error:
        following = Round(blind(target, error), files)
    except TimeoutError:
        late = DatabaseUnreachable(f"no answer within {target.deadline_s:g} s", hint="deadline_s in yoyo.ini")
        following = Round(replace(blind(target, late), failure="timeout"), files)
    finally:
        if last is not None and not _same_connection(last, following):
            await last.close()
    return replace(following, report=replace(following.report, started_at=started_at, duration_s=monotonic() - start))


def _same_connection(last: Round, following: Round | None) -> bool:
    if last.session is None or following is None or following.session is None:
        return False
    return following.session.connection is last.session.connection


async def _next(target: Target, files: Files, last: Round | None) -> Round:
    """Return a round on the last one's connection, or on a new one when that is old or turns out to be gone."""
    session = last.session if last is not None else None
    if last is not None and session is not None and session.mark and monotonic() - session.dialed_at < ANEW_S:
        try:
            same, mark = await look(session.connection, session.mark)
            if same and last.files is files:
                return replace(last, session=replace(session, mark=mark))
            return await _read(target, files, replace(session, mark=mark))
        except HealthdError:  # the connection, or a table that the question names, is gone
            await session.connection.close()
    connection = await dial(target.dsn, timeout_s=target.deadline_s)
    try:
        asked = await _mark(connection, busy=session is not None)
        return await _read(target, files, Session(connection, monotonic(), asked))
    except BaseException:
        await connection.close()
        raise


async def _mark(connection: Any, *, busy: bool) -> Mark | None:
    """Return the mark; None when we may not ask: then every round reads everything."""
    try:
        return await take_mark(connection, busy=busy)
    except (PermissionDenied, DatabaseFailed):
        return None


async def _read(target: Target, files: Files, session: Session) -> Round:
    """Return a round that reads everything; the mark that was taken before it counts if it could see all."""
    beside = session.beside or await read_beside(session.connection)
    report, tried = await _examine(target, files, session, beside)
    blinded = any(one.severity is Severity.UNKNOWN for one in report.findings)
    return Round(report, files, replace(session, mark=None if blinded else session.mark, tried=tried, beside=beside))


async def _examine(target: Target, files: Files, session: Session, beside: Beside) -> tuple[Report, Tried]:
    """Read and judge; what looks wrong is read a second time, and only what is wrong twice is told."""
    once, tried = None, session.tried
    while True:
        reading = await read(session.connection, digests=lambda ledger: _wanted(files.lock, ledger))
        reading.ledger.readable()
        tried = await _try(target, session.connection, tried, reading)
        access = await probe_access(session.connection, target.contracts)
        report = conclude(target, files, reading, tried.trips, access, beside)
        if not report.findings:
            return report, tried
        if once is not None:
            return _confirmed(once, report), tried
        once = report
        await asyncio.sleep(AGAIN_S)


async def _try(target: Target, connection: Any, tried: Tried | None, reading: Reading) -> Tried:
    """Send values, in a session with the settings of today, unless nothing that they depend on has changed."""
    enums = tuple((key, one) for key, one in reading.snapshot.objects.items() if key.kind == "enum")
    columns = reading.digests.get("column")
    of = (reading.settings, columns, enums)
    if tried is None:
        return Tried(of, await probe_values(connection, reading.snapshot))
    if columns is not None and tried.of == of:
        return tried
    async with connect(target.dsn, timeout_s=target.deadline_s) as new:
        return Tried(of, await probe_values(new, reading.snapshot))


def _wanted(lock: LockFile, ledger: Ledger) -> Mapping[str, Digest]:
    """Return the digest that each kind must have, of those that need not be read when they have it."""
    digests = lock.digests([one.id for one in ledger.applied])
    return {kind: one for kind, one in digests.items() if kind != "enum"}  # their labels are tried


def _confirmed(once: Report, again: Report) -> Report:
    """Return the second report without the findings that the first did not have."""
    seen = {(one.problem, one.key, one.attribute) for one in once.findings}
    kept = tuple(one for one in again.findings if (one.problem, one.key, one.attribute) in seen)
    return replace(again, findings=kept, checks=_verdicts(kept, tuple(CHECKS.keys() - again.checks.keys())))


def conclude(
    target: Target,
    files: Files,
    reading: Reading,
    trips: Iterable[RoundTrip] = (),
    access: Iterable[Access] = (),
    beside: Beside | None = None,
) -> Report:
    """Return what a reading means: pure, so that a test can give it literals."""
    beside = beside or Beside()
    lock = files.lock
    locked = [one.id for one in lock.migrations]
    migrations = tuple(states(files.migrations, locked, reading.ledger.applied))
    applied = [one.id for one in reading.ledger.applied]
    owner = reading.ledger.owner

    def believed(kinds: Collection[str]) -> Snapshot:
        return for_comparison(lock.expected(applied, kinds), owner)

    def completed(snapshot: Snapshot) -> Snapshot:
        return whole(snapshot, lambda kind: believed({kind}).objects)

    expected = believed(KINDS.keys() - reading.snapshot.omitted)
    actual = for_comparison(_without_reader(reading), owner)
    if any(one.attribute is None for one in diff(expected, actual)):  # what it is a part of may be of any kind
        expected, actual = completed(expected), completed(actual)
    there, renamed = aligned(expected, actual, KINDS)
    free = come_and_go(expected, target.partitions)
    renamed = tuple(one for one in renamed if holder(one.key, expected.objects[one.key]) not in free)
    expected, there = comparable(*with_partitions(expected, there, target.partitions), owner)
    every = (*renamed, *diff(expected, there))
    differences = of_their_own(causes(every, KINDS), completed(expected).objects)
    differences = tuple(one for one in differences if not _agreed(one, target.contracts))
    if reading.maintenance:
        # What the running migration changes, or keeps locked, is neither drift nor in order yet.
        moving = {effect.key for one in lock.without(applied) for effect in one.effects}
        differences = tuple(one for one in differences if one.key not in moving and one.attribute != UNREADABLE)
    inside = frozenset((one.key, one.attribute) for one in every) - {(one.key, one.attribute) for one in differences}
    went = consequences(every, differences, expected, KINDS)
    follow = {(one.key, one.attribute) for some in went.values() for one in some}
    differences = tuple(one for one in differences if (one.key, one.attribute) not in follow)
    in_files = {name for name, _ in files.migrations}
    expected, actual, there = completed(expected), completed(actual), completed(there)
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
        aligned=there.objects,
        consequences=went,
        inside=inside,
        counters=beside.counters or (),
        sorted_by=beside.sorted_by or (),
    )
    unseen = _unseen(beside, reading.ledger.reader)
    findings = tuple(
        replace(with_consequences(finding, evidence), check=name)
        for name, check in CHECKS.items()
        for finding in check(evidence)
    )
    findings = tuple(named(one, reading.snapshot, reading.ledger.owner) for one in sorted(findings, key=_rank))
    return Report(
        target=target.name,
        started_at=datetime.min.replace(tzinfo=UTC),
        duration_s=0.0,
        findings=findings,
        checks=_verdicts(findings, unseen),
        migrations=migrations,
        notes=(*_notes(target, expected), *unseen.values()),
        maintenance=reading.maintenance,
        server_version=reading.snapshot.server_version,
    )


def _notes(target: Target, expected: Snapshot) -> Iterator[str]:
    """Yield what is to be known and no finding."""
    for key, word in target.partitions.items():
        if getattr(expected.objects.get(key), "partitioned_by", None) is None:
            yield f"partitions = {key.sql}: {word} (yoyo.ini), but sql/ makes no partitioned table of this name"


def _without_reader(reading: Reading) -> Snapshot:
    """Return the snapshot without the privilege that we ask for ourselves: to enter the schema of the books."""
    objects = dict(reading.snapshot.objects)
    for schema in reading.ledger.schemas:
        key = Key("grant", ("schema", schema, reading.ledger.reader or ""))
        if objects.get(key) == Grant(("USAGE",)):
            del objects[key]
    return replace(reading.snapshot, objects=objects)


def _rank(finding: Finding) -> tuple[int, bool, str, int, Key]:
    """Return the order of telling: the worst first, and what others need to be made before them."""
    kinds = list(KINDS)
    made = kinds.index(finding.key.kind) if finding.key.kind in KINDS else len(kinds)
    return -finding.severity, finding.attribute != NAME_OF, finding.problem, made, finding.key


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


def _unseen(beside: Beside, reader: str | None) -> dict[str, str]:
    """Return, for each check that did not see all it judges, a note that says why."""
    notes = {}
    if beside.counters is None:
        notes["sequences"] = "how far sequences have counted could not be read just now"
    elif hidden := [one.key for one in beside.counters if not one.readable]:
        schemas = ", ".join(sorted({quote(one.path[0]) for one in hidden}))
        role = quote(reader) if reader else "healthd"
        notes["sequences"] = (
            f"healthd may not see how far {len(hidden)} of {len(beside.counters)} sequences have counted "
            f"({hidden[0].sql}{', …' if hidden[1:] else ''}): "
            f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schemas} TO {role}; in a migration"
        )
    if beside.sorted_by is None:
        notes["collations"] = "the versions of the libraries that sort text could not be read just now"
    return notes


def _verdicts(findings: Iterable[Finding], unseen: Iterable[str] = ()) -> dict[str, Severity]:
    """Return each check's worst severity; one that found nothing and did not see all has none."""
    verdicts = dict.fromkeys(("connection", *CHECKS), Severity.OK)
    for finding in findings:
        verdicts[finding.check] = max(verdicts.get(finding.check, Severity.OK), finding.severity)
    for name in unseen:
        if verdicts.get(name) is Severity.OK:
            del verdicts[name]
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

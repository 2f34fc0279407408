"""One round on one target: read, compare, judge."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import randrange
from time import monotonic
from typing import TYPE_CHECKING, Any

from healthd import catalog
from healthd.background import Later
from healthd.config.reader import read_settings
from healthd.config.settings import Target
from healthd.database.connection import connect, dial
from healthd.database.dsn import parameters
from healthd.database.idle_connections import Places
from healthd.database.probes.round_trips import probe_access, probe_values
from healthd.database.probes.statements import prepare_statements
from healthd.database.probes.vitals import Vitals, read_vitals
from healthd.database.snapshot.change_token import Mark, look, take_mark
from healthd.database.snapshot.second_connection import Second
from healthd.errors import DatabaseFailed, DatabaseUnreachable, HealthdError, LedgerFailed, PermissionDenied
from healthd.model.findings import Finding, Report, Verdict
from healthd.model.ledger import State
from healthd.model.names import Key
from healthd.model.observations import RoundTrip
from healthd.model.severity import Severity
from healthd.rounds.timing import ACCESS, BESIDE, CONNECT, LOOK, READ, ROWS, STATEMENTS, VALUES, question, timing

# Kinds and checks are many files. They are loaded where they are first used, while the server responds.
if TYPE_CHECKING:
    from healthd.database.probes.row_samples import Samples
    from healthd.database.snapshot.transaction import Reading
    from healthd.expected.store import Files

AGAIN_S = 0.2  # between a reading with findings and the reading that confirms them
ANEW_S = 600.0  # even an unchanged database is read in full, on a new connection, after this time
SAMPLE_S = 0.9 * ANEW_S  # rows are sampled once on each of these connections, whatever else happens
LONG_S = 0.5  # after a longer reading, the next one uses two connections; such a reading counts twice
SHARE = 0.25  # of a round's deadline that sampling rows may take


async def examine(target: Target | str, files: Files | None = None) -> Report:
    """Return the report of one round; an error of the database is a finding, never an exception.

    `target` may be a URL or a key=value string. Without `files` the database is compared with the files that yoyo.ini
    in the current folder names; an error in them is raised as HealthdError.
    """
    if isinstance(target, str):
        (target,) = read_settings(database=target).targets
    if files is None:
        from healthd.expected.store import read_files

        files = read_files(read_settings())
    return await examine_alone(target, Later.made(files))


async def examine_alone(target: Target, files: Later[Files]) -> Report:
    """Return the report of one round that no other follows, with files that may still be read while it begins."""
    only = await _round(target, files, None, None, alone=True)
    await only.close()
    return only.report


@dataclass(frozen=True, slots=True)
class Tried:
    """The results of sending values, and what they depend on: the types, the enums, the settings of new sessions."""

    of: tuple[Any, ...]
    trips: tuple[RoundTrip, ...]


@dataclass(frozen=True, slots=True)
class Sampled:
    """The result of sampling rows, its time (monotonic seconds), and the columns at that time."""

    of: Any
    at: float
    samples: Samples


@dataclass(frozen=True, slots=True)
class Session:
    """A connection that rounds share, its start (monotonic seconds), and what was read on it.

    Without a mark everything must be read again; the last full reading took `reading_s`.
    """

    connection: Any
    dialed_at: float
    mark: Mark | None = None
    reading_s: float = 0.0
    tried: Tried | None = None
    vitals: Vitals | None = None  # what changes slowly and is not in a snapshot: read once on each connection
    sampled: Sampled | None = None  # kept when the connection is replaced


@dataclass(frozen=True, slots=True)
class Round:
    """A report, and what the next round can reuse."""

    report: Report
    files: Files | None
    session: Session | None = None
    adopted: bool = False  # one of the rounds so far saw a ledger

    async def close(self) -> None:
        """Close the connection; a second time does nothing."""
        if self.session is not None:
            await self.session.connection.close()


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of looking at a database, before it is a report."""

    verdict: Verdict
    files: Files
    session: Session


async def examine_again(target: Target, files: Files, last: Round | None, *, places: Places | None = None) -> Round:
    """Return the next round; it reads everything only if something changed since the last round.

    Rounds share a connection, because a session with warm caches is faster; it is replaced every ten minutes.
    This function closes the last round, and the caller closes the round that it returns at the end.
    A round that follows a long one uses a second connection while it runs, if one is available.
    Between rounds the connection is kept in `places`, and may be closed there.
    """
    return await _round(target, Later.made(files), last, places, alone=False)


async def _round(
    target: Target, files: Later[Files], last: Round | None, places: Places | None, *, alone: bool
) -> Round:
    """Return a round; one that is `alone` takes a second connection at once."""
    started_at, start = datetime.now(UTC), monotonic()
    seen: Seen | None = None
    failed: Report | None = None
    if places is not None and last is not None and last.session is not None:
        places.take(last.session.connection)
    try:
        with timing() as taken:
            async with asyncio.timeout(target.deadline_s):
                seen = await _next(target, files, last, places, alone=alone)
    except HealthdError as error:
        failed = blind(target, error)
    except TimeoutError:
        late = DatabaseUnreachable(f"no answer within {target.deadline_s:g} s", hint="see deadline_s in yoyo.ini")
        failed = replace(blind(target, late), failure="timeout")
    finally:
        if last is not None and not _same_connection(last, seen):
            await last.close()
    await files.ready()  # what is wrong with them is told, whatever the database answers
    session = seen.session if seen is not None else None
    if places is not None and session is not None:
        places.leave(session.connection, parameters(target.dsn))
    duration_s = monotonic() - start
    adopted = last is not None and last.adopted
    if adopted and seen is not None and seen.verdict.not_adopted is not None:
        failed = blind(target, LOST)
    elif seen is not None:
        adopted = adopted or _has_ledger(seen.verdict)
    if failed is None:
        assert seen is not None
        failed = Report.of(seen.verdict, target.name, started_at, duration_s)
    report = replace(failed, started_at=started_at, duration_s=duration_s, questions=tuple(taken))
    return Round(report, seen.files if seen is not None else None, session, adopted)


LOST = LedgerFailed(
    "cannot tell which migrations were applied: the ledger is missing, but existed in an earlier round",
    hint="restore its tables from a backup",
)


def _has_ledger(verdict: Verdict) -> bool:
    return any(one.state not in (State.PENDING, State.OUT_OF_ORDER) for one in verdict.migrations)


def _same_connection(last: Round, seen: Seen | None) -> bool:
    return last.session is not None and seen is not None and seen.session.connection is last.session.connection


async def _next(target: Target, files: Later[Files], last: Round | None, places: Places | None, *, alone: bool) -> Seen:
    """Return what a round sees: on the last one's connection, or on a new one when that is old or turns out gone."""
    session = last.session if last is not None else None
    if last is not None and session is not None and session.mark and monotonic() - session.dialed_at < ANEW_S:
        with suppress(HealthdError):  # the connection is lost, or a table of the query was dropped
            with question(LOOK):
                same, mark = await look(session.connection, session.mark)
            if same and last.files is await files.ready():
                return Seen(last.report, last.files, replace(session, mark=mark))
            return await _read(target, files, replace(session, mark=mark), alone=False)
    if last is not None:
        await last.close()
    with question(CONNECT):
        connection = await dial(target.dsn, timeout_s=target.deadline_s, places=places)
    loading = asyncio.ensure_future(asyncio.to_thread(getattr, catalog, "KINDS"))  # while the server starts the session
    try:
        asked = None if alone else await _mark(connection, busy=session is not None)
        new = Session(connection, monotonic(), asked)
        if session is not None:
            new = replace(new, reading_s=session.reading_s, sampled=session.sampled)
        return await _read(target, files, new, alone=alone)
    except BaseException:
        await connection.close()
        raise
    finally:
        await loading


async def _mark(connection: Any, *, busy: bool) -> Mark | None:
    """Return the mark; None without the privilege to read it: then every round reads everything."""
    try:
        with question(LOOK):
            return await take_mark(connection, busy=busy)
    except (PermissionDenied, DatabaseFailed):
        return None


async def _read(target: Target, files: Later[Files], session: Session, *, alone: bool) -> Seen:
    """Return what a round sees that reads everything; the mark that was taken before it counts if it could see all."""
    second = None
    if alone or session.reading_s > LONG_S:
        new = session.vitals is None
        second = Second(target.dsn, target.deadline_s, more=new, kept=not new)
    try:
        verdict, known, session = await _examine(target, files, session, second)
    finally:
        if second is not None:
            await second.close()
    # Texts of another major are the same in the next reading, and rows are not sampled in every round.
    seen = ("texts", "serialization")
    blinded = any(one.severity is Severity.UNKNOWN and one.check not in seen for one in verdict.findings)
    return Seen(verdict, known, replace(session, mark=None if blinded else session.mark))


async def _examine(
    target: Target, files: Later[Files], session: Session, second: Second | None
) -> tuple[Verdict, Files, Session]:
    """Read and judge; what looks wrong is read a second time, and only what is wrong twice is told."""
    from healthd.database.snapshot.reading import read
    from healthd.expected.store import expected_digests, of_another_major

    version = session.connection.info.server_version
    wanted, texts = expected_digests(files, version), of_another_major(files, version)
    once, tried, vitals, sampled, sharing = None, session.tried, session.vitals, session.sampled, second
    while True:
        began = monotonic()
        with question(READ):
            reading = await read(session.connection, digests=wanted, second=sharing, texts=texts)
        reading_s = monotonic() - began
        session = replace(session, reading_s=reading_s if sharing is None else 2 * reading_s)
        if sharing is not None and sharing.kept:
            await sharing.close()
        sharing = None  # it belongs to this reading, not to the next one
        reading.ledger.readable()
        tried = await _try(target, session.connection, tried, reading, second)
        vitals = vitals or await _vitals(session.connection, second)
        with question(ACCESS):
            access = await probe_access(session.connection, target.contracts)
        with question(STATEMENTS):
            prepared = await prepare_statements(session.connection, target.contracts)
        sampled = await _sample(target, session.connection, sampled, reading)

        from healthd.comparison.adoption import as_not_adopted
        from healthd.database.probes.row_samples import Samples
        from healthd.rounds.closer_look import conclude_closely
        from healthd.rounds.conclusion import confirmed
        from healthd.rounds.observation import Observation

        known = await files.ready()
        samples = sampled.samples if sampled is not None else Samples()
        observation = Observation(reading, tried.trips, access, prepared, vitals, samples)
        _, verdict = await conclude_closely(session.connection, target, known, observation)
        verdict = as_not_adopted(verdict)
        if once is not None:
            verdict = confirmed(once, verdict)
        if once is not None or not verdict.findings:
            return verdict, known, replace(session, tried=tried, vitals=vitals, sampled=sampled)
        once = verdict
        await asyncio.sleep(AGAIN_S)


async def _vitals(connection: Any, second: Second | None) -> Vitals:
    with question(BESIDE):
        found = await second.vitals() if second is not None else None
        return found or await read_vitals(connection)


async def _try(target: Target, connection: Any, tried: Tried | None, reading: Reading, second: Second | None) -> Tried:
    """Send values in a session with the current settings, unless nothing that they depend on has changed."""
    enums = tuple((key, one) for key, one in reading.snapshot.objects.items() if key.kind == "enum")
    columns = reading.digests.get("column")
    of = (reading.settings, columns, enums)
    if tried is None:
        with question(VALUES):
            types = await second.types() if second is not None and reading.as_expected else None
            return Tried(of, await probe_values(connection, reading.snapshot, types))
    if columns is not None and tried.of == of:
        return tried
    with question(VALUES):
        async with connect(target.dsn, timeout_s=target.deadline_s) as new:
            return Tried(of, await probe_values(new, reading.snapshot))


async def _sample(target: Target, connection: Any, sampled: Sampled | None, reading: Reading) -> Sampled | None:
    """Sample rows if configured: from time to time, and after columns changed; never during a migration."""
    if not target.sample_rows or not any(contract.models for contract in target.contracts):
        return None
    of = reading.digests.get("column", sampled.of if sampled is not None else None)
    same = sampled is not None and sampled.of == of and monotonic() - sampled.at < SAMPLE_S
    if same or reading.maintenance:
        return sampled
    from healthd.database.probes.row_samples import Samples, sample_rows

    last = sampled.samples if sampled is not None else Samples(draw=randrange(2**16))  # noqa: S311 # no secret
    with question(ROWS):
        samples = await sample_rows(
            connection, target.contracts, rows=target.sample_rows, budget_s=SHARE * target.deadline_s, last=last
        )
    return Sampled(of, monotonic(), samples)


def blind(target: Target, error: HealthdError) -> Report:
    """Return the report of a round that could not read the target: every check is unknown."""
    from healthd.checks import applicable

    denied = isinstance(error, PermissionDenied)
    grant = error.grant if isinstance(error, PermissionDenied) else ""
    unreachable = isinstance(error, DatabaseUnreachable)
    answered = isinstance(error, DatabaseFailed | LedgerFailed)
    finding = Finding(
        "permission_denied" if denied else "round_failed" if answered else "database_unreachable",
        Key("database", (target.name,)),
        str(error),
        Severity.UNKNOWN,
        expected="a complete round",
        actual="permission denied" if denied else "the round failed" if answered else "no answer",
        repair=(grant,) if grant else (),
        facts={"grant": grant} if denied else {},
        check="connection",
    )
    return Report(
        target=target.name,
        started_at=datetime.now(UTC),
        duration_s=0.0,
        findings=(finding,),
        checks=dict.fromkeys(("connection", *applicable(target.contracts)), Severity.UNKNOWN),
        failure="denied" if denied else "unreachable" if unreachable else "error",
    )

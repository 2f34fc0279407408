"""One round on one target: read, compare, judge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from healthd.background import Later
from healthd.checks import applicable
from healthd.comparison.adoption import as_not_adopted
from healthd.config.reader import read_settings
from healthd.config.settings import Target
from healthd.database.connection import dial
from healthd.database.dsn import Dsn
from healthd.database.idle_connections import Places
from healthd.database.notifications import listen
from healthd.database.opened import Opened, collecting
from healthd.database.probes.round_trips import probe_access
from healthd.database.probes.row_samples import Samples
from healthd.database.probes.statements import prepare_statements
from healthd.database.snapshot.budget import Budget
from healthd.database.snapshot.change_token import Mark, look, take_mark
from healthd.database.snapshot.reader import Reader
from healthd.database.snapshot.transaction import Reading
from healthd.errors import (
    ConfigError,
    DatabaseFailed,
    DatabaseUnreachable,
    HealthdError,
    LedgerFailed,
    PermissionDenied,
)
from healthd.expected.store import Files, expected_digests, of_another_major, read_files
from healthd.model.findings import Finding, Report, Verdict
from healthd.model.ledger import State
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot
from healthd.rounds.closer_look import judge_closely, make_closely
from healthd.rounds.conclusion import Judged, confirmed
from healthd.rounds.deadline import TimeUp, within
from healthd.rounds.folding import folded
from healthd.rounds.lateness import allowed_next_s, late_kinds, most_s, with_lateness
from healthd.rounds.observation import Observation
from healthd.rounds.opening import Opening, begin
from healthd.rounds.promise import is_watched, sides
from healthd.rounds.session import ANEW_S, Session, sample, try_values
from healthd.rounds.timing import ACCESS, BESIDE, CONNECT, LOOK, READ, STATEMENTS, question, timing

AGAIN_S = 0.2  # between a reading with findings and the reading that confirms them


async def examine(target: Target | str, files: Files | None = None) -> Report:
    """Return the report of one round; an error of the database is a finding, never an exception.

    `target` may be a URL or a key=value string. Without `files` the database is compared with the files that yoyo.ini
    in the current folder names; an error in them is raised as HealthdError.
    """
    if isinstance(target, str):
        (target,) = read_settings(database=target).targets
    if files is None:
        files = read_files(read_settings().of(target))
    return (await examined(target, files, bounded=True)).report


async def examined(target: Target, files: Files, *, bounded: bool = False) -> Round:
    """Return the only round on a target, with what it read; its connection is closed.

    Each finding is reported by itself, and there is a script, however many there are, unless it is `bounded`.
    """
    only = await _round(target, Later.made(files), opening=begin(target), bounded=bounded)
    await only.close()
    return only


async def examine_alone(target: Target, files: Later[Files], opening: Opening) -> Report:
    """Return the report of one round that no other follows, with files that may still be read while it begins."""
    only = await _round(target, files, opening=opening)
    await only.close()
    return only.report


@dataclass(frozen=True, slots=True)
class Round:
    """A report, what it was concluded from, and what the next round can reuse."""

    report: Report
    files: Files | None
    session: Session | None = None
    adopted: bool = False  # one of the rounds so far saw a ledger
    reading: Reading | None = None  # only if the report has a script
    stretch: float = 1.0  # the next round may take so many times deadline_s

    def sides(self) -> tuple[Snapshot, Snapshot]:
        """Return the expected and the actual objects that the script of the report was made from."""
        assert self.files is not None, "only a report with a script has sides"
        assert self.reading is not None, "only a report with a script has sides"
        return sides(self.files, self.reading)

    async def close(self) -> None:
        """Close the connection; a second time does nothing."""
        if self.session is not None and self.session.connection is not None:
            await self.session.connection.close()


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of looking at a database, before it is a report."""

    verdict: Verdict
    files: Files
    session: Session
    reading: Reading | None = None
    late: tuple[str, ...] = ()  # the kinds that were not read because the time was up
    whole: bool = False  # everything else was read


async def examine_again(target: Target, files: Files, last: Round | None, *, places: Places | None = None) -> Round:
    """Return the next round; it reads everything only if something changed since the last round.

    Rounds share a connection, because a session with warm caches is faster; it is replaced every ten minutes.
    This function closes the last round, and the caller closes the round that it returns at the end.
    A round that follows a long one uses a second connection while it runs, if one is available.
    Between rounds the connection is kept in `places`, and may be closed there; a target that shares its server with
    many others keeps none, and asks on a new one whether anything has changed.
    """
    return await _round(target, Later.made(files), last, places)


def allowed_s(target: Target, last: Round | None) -> float:
    """Return how long the round after this one may take."""
    return min(target.deadline_s * (last.stretch if last is not None else 1.0), most_s(target))


async def _round(
    target: Target,
    files: Later[Files],
    last: Round | None = None,
    places: Places | None = None,
    *,
    opening: Opening | None = None,
    bounded: bool = True,
) -> Round:
    """Return a round; one that no other follows has begun with an `opening`.

    A `bounded` one makes no script for thousands of differences, and reports hundreds that are alike as one finding.
    """
    started_at, start_s = (opening.started_at, opening.start_s) if opening else (datetime.now(UTC), monotonic())
    seen: Seen | None = None
    failed: Report | None = None
    limit_s = allowed_s(target, last)
    too_late = False
    opened = opening.opened if opening is not None else Opened()
    if last is not None and last.session is not None and last.session.connection is not None:
        opened.connections.append(last.session.connection)
        if places is not None:
            places.take(last.session.connection)
    try:
        with timing() as taken, collecting(opened):
            if opening is not None:
                work = _only(target, files, opening, bounded=bounded)
            else:
                work = _next(target, files, last, places, Budget.of(start_s, limit_s))
            seen = await within(start_s + limit_s - monotonic(), work, opened)
    except HealthdError as error:
        failed = blind(target, error)
    except TimeUp as late:
        too_late = late.answers
        failed = replace(blind(target, _overdue(limit_s, answers=late.answers)), failure="timeout")
    finally:
        if last is not None and not _same_connection(last, seen):
            await last.close()
    known = await files.ready()  # what is wrong with them is told, whatever the database answers
    session = await _rested(target, seen.session, places) if seen is not None else None
    adopted, duration_s = last is not None and last.adopted, monotonic() - start_s
    if seen is not None:
        too_late = bool(seen.late)
        seen = replace(seen, verdict=with_lateness(seen.verdict, target, seen.late, limit_s))
    report = _reported(target, seen, failed, adopted=adopted)
    report = replace(
        report,
        started_at=started_at,
        duration_s=duration_s,
        questions=tuple(taken),
        database=_place(target),
        lock_digest=known.lock.digest,
    )
    adopted = adopted or (seen is not None and _has_ledger(seen.verdict))
    reading = seen.reading if seen is not None and report.script else None
    took_s = duration_s if seen is not None and seen.whole else None
    next_s = allowed_next_s(target, limit_s, late=too_late, took_s=took_s)
    stretch = next_s / target.deadline_s
    return Round(report, seen.files if seen is not None else None, session, adopted, reading, stretch)


def _place(target: Target) -> str:
    """Return the database of a target and its host; empty if its connection string is none, which the report says."""
    try:
        return Dsn.of(target.dsn).place
    except ConfigError:
        return ""


def _overdue(limit_s: float, *, answers: bool) -> HealthdError:
    """Return the error of a round that took longer than its deadline: because of the server, or because of the work."""
    if answers:
        hint = "raise deadline_s in yoyo.ini, or find out what the server waits for: healthd_query_duration_seconds"
        return DatabaseFailed(f"the round took longer than {limit_s:g} s", hint=hint)
    return DatabaseUnreachable(f"no answer within {limit_s:g} s", hint="see deadline_s in yoyo.ini")


async def _rested(target: Target, session: Session, places: Places | None) -> Session:
    """Return the session as it waits for the next round: with its connection in `places`, or without one."""
    if places is None:
        return session
    if places.keeps(target.dsn):
        places.leave(session.connection, Dsn.of(target.dsn).parameters)
        return session
    await session.connection.close()
    return replace(session, connection=None)


def _reported(target: Target, seen: Seen | None, failed: Report | None, *, adopted: bool) -> Report:
    """Return what a round reports; a ledger that existed in an earlier round must not be missing."""
    if seen is None:
        assert failed is not None
        return failed
    if adopted and seen.verdict.not_adopted is not None:
        return blind(target, LOST)
    return Report.of(seen.verdict, target.name, datetime.now(UTC), 0.0)


LOST = LedgerFailed(
    "cannot tell which migrations were applied: the ledger is missing, but existed in an earlier round",
    hint="restore its tables from a backup",
)


def _has_ledger(verdict: Verdict) -> bool:
    return any(one.state not in (State.PENDING, State.OUT_OF_ORDER) for one in verdict.migrations)


def _same_connection(last: Round, seen: Seen | None) -> bool:
    return last.session is not None and seen is not None and seen.session.connection is last.session.connection


async def _only(target: Target, files: Later[Files], opening: Opening, *, bounded: bool) -> Seen:
    """Return what a round sees that no other follows."""
    with question(CONNECT):
        reader = await opening.connected()
    async with _closing_on_failure(reader.connection):
        return await _read(target, files, Session(reader.connection, monotonic()), reader, bounded=bounded)


async def _next(target: Target, files: Later[Files], last: Round | None, places: Places | None, budget: Budget) -> Seen:
    """Return what a round sees: on the last one's connection, or on a new one when that is old or turns out gone."""
    session = last.session if last is not None else None
    lasts = session is not None and session.mark and monotonic() - session.dialed_at < ANEW_S
    kept = places is None or places.keeps(target.dsn)
    if last is not None and session is not None and lasts and not session.is_closed:
        with suppress(HealthdError):  # the connection is lost, or a table of the query was dropped
            return await _looked(target, files, last, session, budget, kept=kept)
    lost = session is not None and session.is_closed
    if last is not None:
        await last.close()
    with question(CONNECT):
        connection = await dial(target.dsn, timeout_s=target.deadline_s, places=places)
    async with _closing_on_failure(connection):
        # Before anything is read: what is changed later sends a notification.
        heard = await listen(connection) if session is not None and session.watched and kept else None
        if last is not None and session is not None and lasts and lost:
            with suppress(HealthdError):
                return await _looked(target, files, last, session.on(connection, heard, kept=kept), budget, kept=kept)
        mark = await _mark(connection, busy=session is not None, planned=kept)
        new = Session(connection, monotonic(), mark, notifications=heard)
        if session is not None:
            new = replace(new, reading_s=session.reading_s, sampled=session.sampled, made=session.made)
        return await _read(target, files, new, _reader(target, new, budget, kept=kept), kept=kept)


async def _looked(
    target: Target, files: Later[Files], last: Round, session: Session, budget: Budget, *, kept: bool
) -> Seen:
    """Return what a round sees that reads only what has changed: nothing, or everything."""
    assert session.mark is not None, "without a mark nothing is known of the last reading"
    with question(LOOK):
        same, mark = await look(session.connection, session.mark)
    session = replace(session, mark=mark)
    if same and last.files is await files.ready():
        return Seen(last.report, last.files, session, last.reading)
    return await _read(target, files, session, _reader(target, session, budget, kept=kept), kept=kept)


@asynccontextmanager
async def _closing_on_failure(connection: Any) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await connection.close()
        raise


async def _mark(connection: Any, *, busy: bool, planned: bool) -> Mark | None:
    """Return the mark; None without the privilege to read it: then every round reads everything."""
    try:
        with question(LOOK):
            return await take_mark(connection, busy=busy, planned=planned)
    except (PermissionDenied, DatabaseFailed):
        return None


def _reader(target: Target, session: Session, budget: Budget, *, kept: bool) -> Reader:
    """Return what reads on a connection; where many targets share a server and none is kept, it has no second one."""
    new = session.vitals is None
    return Reader(
        session.connection,
        target.dsn,
        timeout_s=target.deadline_s,
        last_s=session.reading_s if kept else 0.0,
        kept=not new,
        more=new,
        drifted=session.made is not None,
        budget=budget,
    )


async def _read(
    target: Target, files: Later[Files], session: Session, reader: Reader, *, bounded: bool = True, kept: bool = False
) -> Seen:
    """Return what a round sees that reads everything; the mark that was taken before it counts if it could see all.

    A connection that is kept listens if the database is watched.
    """
    async with reader:
        seen = await _examine(target, files, session, reader, bounded=bounded)
    if kept:
        seen = replace(seen, session=await seen.session.listening())
    # Texts of another major are the same in the next reading, and rows are not sampled in every round.
    same = ("texts", "serialization")
    blinded = any(one.severity is Severity.UNKNOWN and one.check not in same for one in seen.verdict.findings)
    return replace(seen, session=replace(seen.session, mark=None)) if blinded else seen


async def _examine(target: Target, files: Later[Files], session: Session, reader: Reader, *, bounded: bool) -> Seen:
    """Read and judge; what looks wrong is read a second time, and only what is wrong twice is told.

    A database in which nothing was committed since is not read a second time: it would be the same.
    """
    connection, once = session.connection, None
    reading: Reading | None = None
    seen: tuple[Observation, Judged] | None = None
    version = connection.info.server_version
    wanted, texts = expected_digests(files, version), of_another_major(files, version)
    tried, vitals, sampled = session.tried, session.vitals, session.sampled
    while True:
        with question(READ):
            reading = await reader.read(digests=wanted, texts=texts, last=reading)
        reading.ledger.readable()
        tried = await try_values(target, tried, reading, reader)
        if vitals is None:
            with question(BESIDE):
                vitals = await reader.vitals()
        with question(ACCESS):
            access = await probe_access(connection, target.contracts)
        with question(STATEMENTS):
            prepared = await prepare_statements(connection, target.contracts)
        sampled = await sample(target, connection, sampled, reading)
        known = await files.ready()
        samples = sampled.samples if sampled is not None else Samples()
        observation = Observation(reading, tried.trips, access, prepared, vitals, samples)
        if seen is None or seen[0] != observation:
            seen = observation, await judge_closely(connection, target, known, observation)
        judged = seen[1]
        verdict = as_not_adopted(judged.verdict())
        late = late_kinds(reading.snapshot)
        if once is not None or not verdict.findings or late:
            made = None
            if not late:  # there is no time for a script, and it would repair a part only
                reading, made = await make_closely(connection, judged, session.made, bounded=bounded)
            verdict = as_not_adopted(judged.verdict(made.script, reading.rights)) if made is not None else verdict
            found = replace(session, reading_s=reader.reading_s, tried=tried, vitals=vitals, sampled=sampled, made=made)
            found = replace(found, watched=is_watched(known, reading))
            verdict = verdict if once is None else confirmed(once, verdict)
            return Seen(folded(verdict) if bounded else verdict, known, found, reading, late, not late)
        once = verdict
        await asyncio.sleep(AGAIN_S)


def blind(target: Target, error: HealthdError) -> Report:
    """Return the report of a round that could not read the target: every check is unknown."""
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

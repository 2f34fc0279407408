"""One round on one target: read, compare, judge, and report."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from healthd.background import Later
from healthd.config.reader import read_settings
from healthd.config.settings import Target
from healthd.database.dsn import Dsn
from healthd.database.idle_connections import Places
from healthd.database.open_connections import Opened, collecting
from healthd.database.snapshot.budget import Budget
from healthd.errors import ConfigError, HealthdError
from healthd.expected.store import Files, read_files
from healthd.model.findings import Report
from healthd.rounds.deadline import TimeUp, within
from healthd.rounds.failed_round import LOST, blind, overdue
from healthd.rounds.lateness import allowed_next_s, most_s, with_lateness
from healthd.rounds.opening import Opening, begin
from healthd.rounds.round import Failed, Round, Seen
from healthd.rounds.round_connection import see_alone, see_next
from healthd.rounds.session import Session
from healthd.rounds.timing import timing


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


async def examine_again(
    target: Target,
    files: Files,
    last: Round | None,
    *,
    places: Places | None = None,
    adopted: str = "",
    woken: bool = False,
) -> Round:
    """Return the next round; it reads everything only if something changed since the last round.

    Rounds share a connection, because a session with warm caches is faster; it is replaced every ten minutes.
    This function closes the last round, and the caller closes the round that it returns at the end.
    A round that follows a long one uses a second connection while it runs, if one is available.
    Between rounds the connection is kept in `places`, and may be closed there; a target that shares its server with
    many others keeps none, and asks on a new one whether anything has changed.
    A ledger must not be missing in the database that was `adopted` according to an earlier report.
    A round that was `woken` by DDL reads only what has changed if that is enough. The next one makes its script.
    """
    return await _round(target, Later.made(files), last, places, adopted=adopted, woken=woken)


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
    adopted: str = "",
    woken: bool = False,
) -> Round:
    """Return a round; one that no other follows has begun with an `opening`.

    A `bounded` one makes no script for thousands of differences, and reports hundreds that are alike as one finding.
    """
    started_at, start_s = (opening.started_at, opening.start_s) if opening else (datetime.now(UTC), monotonic())
    limit_s, opened, place = allowed_s(target, last), _connections(last, places, opening), _place(target)
    outcome: Seen | Failed | None = None
    try:
        with timing() as taken, collecting(opened):
            if opening is not None:
                work = see_alone(target, files, opening, bounded=bounded)
            else:
                budget = Budget.of(start_s, limit_s, last.late if last is not None else ())
                work = see_next(target, files, last, places, budget, woken=woken)
            outcome = await _outcome(target, work, opened, limit_s, until_s=start_s + limit_s)
            outcome = await _unless_lost(target, outcome, adopted=place == adopted)
    finally:
        if last is not None and not _same_connection(last, outcome):
            await last.close()
    known = await files.ready()  # what is wrong with them is reported, whatever the database answers
    seen = outcome if isinstance(outcome, Seen) else None
    session = await _rested(target, seen.session, places) if seen is not None else None
    duration_s = monotonic() - start_s
    report = replace(
        _reported(target, outcome, limit_s),
        started_at=started_at,
        duration_s=duration_s,
        questions=tuple(taken),
        database=place,
        lock_digest=known.lock.digest,
    )
    took_s = duration_s if seen is not None and seen.whole else None
    stretch = allowed_next_s(target, limit_s, late=outcome.is_late, took_s=took_s) / target.deadline_s
    if seen is None:
        return Round(report, None, stretch=stretch, tenants=target.tenants)
    reading = seen.reading if report.script else None
    return Round(
        report,
        seen.files,
        session,
        reading,
        stretch,
        target.tenants,
        late=seen.late,
        owed=seen.owed,
        contradicted=seen.contradicted,
    )


def _connections(last: Round | None, places: Places | None, opening: Opening | None) -> Opened:
    """Return the connections of a round, so that they can be interrupted: those of its beginning, or the last one's."""
    opened = opening.opened if opening is not None else Opened()
    if last is not None and last.session is not None and last.session.connection is not None:
        opened.connections.append(last.session.connection)
        if places is not None:
            places.take(last.session.connection)
    return opened


async def _outcome(
    target: Target, work: Coroutine[Any, Any, Seen], opened: Opened, limit_s: float, *, until_s: float
) -> Seen | Failed:
    """Return what a round sees until the given time (monotonic seconds), or the report that says why it failed."""
    try:
        return await within(until_s - monotonic(), work, opened)
    except HealthdError as error:
        return Failed(blind(target, error))
    except TimeUp as late:
        report = blind(target, overdue(limit_s, answers=late.answers))
        return Failed(replace(report, failure="timeout"), is_late=late.answers)


async def _unless_lost(target: Target, outcome: Seen | Failed, *, adopted: bool) -> Seen | Failed:
    """Return what a round sees; a ledger that existed in an earlier round must not be missing.

    Such a round has failed, and leaves nothing to the next one, which reads everything.
    """
    if not adopted or isinstance(outcome, Failed) or outcome.reading is None or outcome.reading.adopted:
        return outcome  # without a reading it is as in the last round
    await outcome.session.connection.close()
    return Failed(blind(target, LOST))


def _place(target: Target) -> str:
    """Return the database of a target and its host; empty if its connection string is none, which the report says."""
    try:
        return Dsn.of(target.dsn).place
    except ConfigError:
        return ""


async def _rested(target: Target, session: Session, places: Places | None) -> Session:
    """Return the session as it waits for the next round: with its connection in `places`, or without one."""
    if places is None:
        return session
    if places.keeps(target.dsn):
        places.leave(session.connection, Dsn.of(target.dsn).parameters)
        return session
    await session.connection.close()
    return replace(session, connection=None)


def _reported(target: Target, outcome: Seen | Failed, limit_s: float) -> Report:
    if isinstance(outcome, Failed):
        return outcome.report
    verdict = with_lateness(outcome.verdict, target, outcome.late, limit_s)
    return Report.of(verdict, target.name, datetime.now(UTC), 0.0)


def _same_connection(last: Round, outcome: Seen | Failed | None) -> bool:
    return (
        last.session is not None and isinstance(outcome, Seen) and outcome.session.connection is last.session.connection
    )

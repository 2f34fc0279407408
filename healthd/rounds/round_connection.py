"""The connection of a round: the one of the last round, on which only changes are read, or a new one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from time import monotonic
from typing import Any

from healthd.background import Later
from healthd.config.settings import Target
from healthd.database.connection import dial
from healthd.database.idle_connections import Places
from healthd.database.notifications import listen
from healthd.database.snapshot.budget import Budget
from healthd.database.snapshot.change_token import Mark, look, take_mark
from healthd.database.snapshot.stability import unchanged
from healthd.errors import DatabaseFailed, HealthdError, PermissionDenied
from healthd.expected.store import Files
from healthd.model.findings import identity
from healthd.rounds.changed_reading import add_script, see_changes
from healthd.rounds.complete_reading import read_everything, reader_of
from healthd.rounds.opening import Opening
from healthd.rounds.round import Round, Seen
from healthd.rounds.running import still_running
from healthd.rounds.session import ANEW_S, Session
from healthd.rounds.timing import CONNECT, LOOK, question


async def see_alone(target: Target, files: Later[Files], opening: Opening, *, bounded: bool) -> Seen:
    """Return what a round sees that no other follows."""
    with question(CONNECT):
        reader = await opening.connected()
    async with _closing_on_failure(reader.connection):
        return await read_everything(target, files, Session(reader.connection, monotonic()), reader, bounded=bounded)


async def see_next(
    target: Target,
    files: Later[Files],
    last: Round | None,
    places: Places | None,
    budget: Budget,
    *,
    woken: bool = False,
) -> Seen:
    """Return what a round sees: on the last one's connection, or on a new one when that is old or turns out gone.

    One that was `woken` by DDL may read only what has changed.
    """
    session = last.session if last is not None else None
    lasts = session is not None and session.mark and monotonic() - session.dialed_at < ANEW_S
    kept = places is None or places.keeps(target.dsn)
    if last is not None and session is not None and lasts and not session.is_closed:
        with suppress(HealthdError):  # the connection is lost, or a table of the query was dropped
            return await _looked(target, files, last, session, budget, kept=kept, woken=woken)
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
        return await read_everything(target, files, new, reader_of(target, new, budget, kept=kept), kept=kept)


async def _looked(
    target: Target,
    files: Later[Files],
    last: Round,
    session: Session,
    budget: Budget,
    *,
    kept: bool,
    woken: bool = False,
) -> Seen:
    """Return what a round sees that follows another one: nothing new, what has changed, or everything."""
    assert session.mark is not None, "without a mark nothing is known of the last reading"
    before = session.mark
    with question(LOOK):
        same, mark = await look(session.connection, before)
    session = replace(session, mark=mark)
    known = await files.ready()
    unmoved = same and last.files is known
    if unmoved and last.owed is not None:
        return await add_script(session.connection, last, session)
    since = session.partial_since
    if unmoved and (woken or since is None) and (report := await still_running(session.connection, last.report)):
        return Seen(report, known, session, last.reading)
    seen = None
    if woken and not same and last.files is known and (since is None or monotonic() - since < target.interval_s):
        seen = await see_changes(target, known, session, before)
    if seen is not None:
        return seen
    seen = await read_everything(target, files, session, reader_of(target, session, budget, kept=kept), kept=kept)
    return await _checked(last, seen) if unmoved and since is not None else seen


async def _checked(last: Round, seen: Seen) -> Seen:
    """Return what a round sees that reads everything, with what rounds before it, which did not, reported otherwise."""
    before, now = (
        {identity(one): (one.expected, one.actual) for one in verdict.findings}
        for verdict in (last.report, seen.verdict)
    )
    if before == now or not await unchanged(seen.session.connection, seen.session.mark):
        return seen
    unlike = {one for one in before.keys() | now.keys() if before.get(one) != now.get(one)}
    return replace(seen, contradicted=tuple(sorted(str(key) for _, key, *_ in unlike)))


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

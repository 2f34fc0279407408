"""What a round that has read everything remembers, so that the next one need read only what changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from healthd.catalog import KINDS
from healthd.config.settings import Target
from healthd.database.probes.round_trips import distinct_types
from healthd.database.snapshot.change_token import Mark, take_mark
from healthd.database.snapshot.image_reader import ImageReader
from healthd.database.snapshot.planned_reader import Incomplete
from healthd.database.snapshot.transaction import Reading
from healthd.errors import HealthdError
from healthd.expected.store import Files
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot
from healthd.rounds.session import Remembered, Session

Deviations = Mapping[Key, Record | None]
MOST = 500  # objects that differ; of a database with more, everything is read


async def remember(target: Target, files: Files, session: Session, reading: Reading | None) -> Session:
    """Return a session that has just read everything, with what a round needs that reads only changes.

    It has nothing of the kind if something changed meanwhile, if more would have to be known, or if too much differs.
    """
    session = replace(session, remembered=None)
    mark = session.mark
    if reading is None or mark is None or not _is_plain(target, session, reading):
        return session
    version = reading.snapshot.server_version
    lock_file = files.lock.on(version)
    if lock_file.server_version // 10000 != version // 10000:  # texts are compared in another way
        return session
    applied, kinds = [one.id for one in reading.ledger.applied], KINDS.keys() - reading.snapshot.omitted
    deviations = unlike(lock_file.expected(applied, kinds).objects, reading.snapshot.objects)
    if len(deviations) > MOST:
        return session
    reader = session.reader or ImageReader(session.connection)
    session = replace(session, reader=reader)
    with suppress(HealthdError, Incomplete):  # then the next round reads everything
        await asyncio.to_thread(files.places, version)
        types = await distinct_types(session.connection)
        asked = mark if mark.question else await take_mark(session.connection, busy=True)
        taken = await reader.take(asked, reading.ledger.owner)
        if taken is not None and _same(mark, taken[1]):
            ledger = Reading(Snapshot(version, {}), reading.ledger, settings=reading.settings, deviations=deviations)
            return replace(session, mark=taken[1], remembered=Remembered(reader, taken[0], ledger, types))
    return session


def _is_plain(target: Target, session: Session, reading: Reading) -> bool:
    """Return whether rounds on a target can read only changes: the watch works, and nothing else must be asked."""
    listens = session.notifications is not None and not session.notifications.refused
    probed = session.tried is not None and all(one.trouble is None for one in session.tried.trips)
    still = reading.snapshot.readable and reading.maintenance is None and not reading.ledger.interrupted
    return listens and probed and still and target.tenants is None and not target.sample_rows and reading.adopted


def _same(mark: Mark, now: Mark) -> bool:
    """Return whether nothing changed between two marks."""
    if mark.around != now.around:
        return False
    return mark.standing == now.standing or (mark.sums != "" and mark.sums == now.sums)


def unlike(expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> dict[Key, Record | None]:
    """Return the actual objects that differ from the expected ones, None for a missing one."""
    keys = expected.keys() | actual.keys()
    return {key: actual.get(key) for key in keys if expected.get(key) != actual.get(key)}

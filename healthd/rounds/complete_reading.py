"""What a round sees that reads everything: what looks wrong is read a second time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from healthd.background import Later
from healthd.comparison.adoption import as_not_adopted
from healthd.config.settings import Target
from healthd.database.snapshot.budget import Budget
from healthd.database.snapshot.reader import Reader
from healthd.database.snapshot.stability import unchanged
from healthd.database.snapshot.transaction import Reading
from healthd.expected.store import Files, expected_digests, of_another_major
from healthd.model.severity import Severity
from healthd.rounds.conclusion import Judged, confirmed
from healthd.rounds.folding import folded
from healthd.rounds.follow_up import judge_closely, make_closely
from healthd.rounds.lateness import late_kinds
from healthd.rounds.observation import Observation
from healthd.rounds.questions import observe
from healthd.rounds.remembering import remember
from healthd.rounds.round import Seen
from healthd.rounds.session import Session, try_values
from healthd.rounds.sides import digests_of_tenants, is_watched
from healthd.rounds.tenant_folding import folded_tenants
from healthd.rounds.timing import READ, VITALS, question

AGAIN_S = 0.2  # between a reading with findings and the reading that confirms them


def reader_of(target: Target, session: Session, budget: Budget, *, kept: bool) -> Reader:
    """Return what reads on a connection; where many targets share a server and none is kept, it has no second one."""
    new = session.vitals is None
    return Reader(
        session.connection,
        target.dsn,
        timeout_s=target.deadline_s,
        last_s=session.reading_s if kept and target.tenants is None else 0.0,
        kept=not new,
        more=new,
        drifted=session.made is not None,
        budget=budget,
    )


async def read_everything(
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
    found = replace(seen.session, partial_since=None)
    if blinded or not kept:
        return replace(seen, session=replace(found, mark=None if blinded else found.mark, remembered=None))
    return replace(seen, session=await remember(target, seen.files, found, seen.reading))


async def _examine(target: Target, files: Later[Files], session: Session, reader: Reader, *, bounded: bool) -> Seen:
    """Read and judge; what looks wrong is read a second time, and only what is wrong twice is reported.

    A database in which nothing was committed since is not read a second time: it would be the same. Then there is no
    pause either: the first reading saw one instant, and so did the probes.
    """
    connection, once = session.connection, None
    reading: Reading | None = None
    seen: tuple[Observation, Judged] | None = None
    version = connection.info.server_version
    wanted, tenants = expected_digests(files, version), digests_of_tenants(files, version, target)
    texts = of_another_major(files, version)
    tried, vitals, sampled = session.tried, session.vitals, session.sampled
    while True:
        with question(READ):
            reading = await reader.read(digests=wanted, texts=texts, last=reading, tenants=tenants)
        reading.ledger.readable()
        tried = await try_values(target, tried, reading, reader)
        if vitals is None:
            with question(VITALS):
                vitals = await reader.vitals()
        observation, sampled = await observe(connection, target, reading, tried.trips, vitals, sampled)
        known = await files.ready()
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
            return Seen(folded(folded_tenants(verdict)) if bounded else verdict, known, found, reading, late, not late)
        once = verdict
        if not (reading.snapshot.readable and await unchanged(connection, reading.mark)):  # else it is confirmed
            await asyncio.sleep(AGAIN_S)

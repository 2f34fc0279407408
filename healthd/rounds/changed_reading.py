"""What a round sees that was woken by DDL: only what has changed is read, where it is certain that this is enough."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any

from healthd.catalog import KINDS
from healthd.comparison.adoption import as_not_adopted
from healthd.comparison.near_objects import NearObjects
from healthd.config.settings import Target
from healthd.database.probes.round_trips import probe_values
from healthd.database.probes.vitals import Vitals
from healthd.database.snapshot.catalog_changes import CatalogChanges
from healthd.database.snapshot.change_token import Mark
from healthd.database.snapshot.planned_reader import Incomplete
from healthd.database.snapshot.stability import unchanged
from healthd.database.snapshot.transaction import Reading
from healthd.errors import HealthdError
from healthd.expected.store import Files
from healthd.model.names import Key, place_of
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot
from healthd.rounds.folding import folded
from healthd.rounds.follow_up import judge_closely, make_closely
from healthd.rounds.questions import observe
from healthd.rounds.remembering import MOST, Deviations, unlike
from healthd.rounds.round import Round, Seen
from healthd.rounds.session import Remembered, Session
from healthd.rounds.timing import READ, VALUES, question


def _whole(files: Files, known: Reading) -> Reading:
    """Return a reading of the ledger and the deviations with all objects, as far as anybody asks for them."""
    version, applied = known.snapshot.server_version, [one.id for one in known.ledger.applied]
    lock_file, places = files.lock.on(version), files.places(version)
    deviations = known.deviations or {}
    differing = {key.kind for key in deviations} | {kind.name for kind in KINDS.values() if kind.always_read}
    paths = {place_of(key) for key in deviations}
    near = {**places.expected(applied, paths), **deviations}
    objects = NearObjects(
        {key: one for key, one in near.items() if one is not None},
        paths,
        differing,
        lambda place: places.expected(applied, (place,)),
        lambda kind: lock_file.expected(applied, {kind}).objects,
    )
    return replace(known, snapshot=Snapshot(version, objects, omitted=frozenset(KINDS.keys() - differing)))


async def see_changes(target: Target, files: Files, session: Session, before: Mark) -> Seen | None:
    """Return what a round sees that reads what has changed between a mark and that of the session.

    None if that is not certain to be what a round would see that reads everything.
    """
    known, mark = session.remembered, session.mark
    if known is None or mark is None or mark.around != before.around:
        return None
    connection = session.connection
    with suppress(HealthdError, Incomplete):  # why is found by a round that reads everything
        with question(READ):
            async with known.reader.transaction():
                changed = await known.reader.changes(known.image, before, mark)
                deviations = await _deviations(files, known, changed.meaning) if changed is not None else None
        if changed is None or deviations is None or len(deviations) > MOST:
            return None
        if not await _come_back(connection, new := _new_types(known, deviations)):
            return None
        now = replace(known.reading, deviations=deviations)
        assert session.tried is not None, "values were sent by a complete round"
        whole, vitals = _whole(files, now), session.vitals or Vitals()
        observation, _ = await observe(connection, target, whole, session.tried.trips, vitals, session.sampled)
        judged = await judge_closely(connection, target, files, observation)
        verdict = as_not_adopted(judged.verdict())
        if any(one.severity is Severity.UNKNOWN for one in verdict.findings) or not await unchanged(connection, mark):
            return None
        known.image.learn(changed.rows, changed.gone)
        found = replace(
            session,
            remembered=replace(known, reading=now, types=known.types.union(new.values())),
            partial_since=session.partial_since or monotonic(),
        )
        owed = judged if verdict.findings else None
        verdict = replace(folded(verdict), script_follows=owed is not None)
        return Seen(verdict, files, found, observation.reading, owed=owed)
    return None


async def _deviations(files: Files, known: Remembered, meaning: CatalogChanges) -> Deviations | None:
    """Return all objects that differ now; None if it is not enough to read objects."""
    if "enum" in meaning.kinds:  # their labels are sent as values
        return None
    reading = known.reading
    version = reading.snapshot.server_version
    applied = [one.id for one in reading.ledger.applied]
    before = reading.deviations or {}
    near = {key: one for key, one in before.items() if place_of(key) in meaning.paths}
    there = {**files.places(version).expected(applied, meaning.paths), **near}
    having = {key.kind for key, one in there.items() if one is not None and KINDS[key.kind].by_relation is not None}
    kinds = [one.name for one in KINDS.values() if meaning.may_change(one, exists=one.name in having)]
    whole = {name for name in kinds if name in meaning.kinds or KINDS[name].by_relation is None}

    def is_read(key: Key) -> bool:
        return key.kind in whole or (key.kind in kinds and place_of(key) in meaning.paths)

    now = await known.reader.objects(meaning, kinds)
    expected = dict(files.lock.on(version).expected(applied, whole).objects) if whole else {}
    expected |= {
        key: one for key, one in files.places(version).expected(applied, meaning.paths).items() if is_read(key)
    }
    return {key: one for key, one in before.items() if not is_read(key)} | unlike(expected, now)


def _new_types(known: Remembered, deviations: Deviations) -> dict[Key, str]:
    """Return the types of which no values were sent, each with a column; no type of a schema of its own is built in."""
    columns = ((key, one.type) for key, one in deviations.items() if key.kind == "column" and one is not None)
    return {key: type_ for key, type_ in columns if type_ not in known.types and "." not in type_}


async def _come_back(connection: Any, types: Mapping[Key, str]) -> bool:
    """Return whether values of these types come back as they were sent."""
    if not types:
        return True
    with question(VALUES):
        trips = await probe_values(connection, Snapshot(0, {}), types)
    return all(one.trouble is None for one in trips)


async def add_script(connection: Any, last: Round, session: Session) -> Seen:
    """Return what the last round saw, which nothing has changed, with the script that it has not made."""
    assert last.owed is not None, "only for a round that owes a script"
    assert last.files is not None, "such a round has seen something"
    reading, made = await make_closely(connection, last.owed, session.made, bounded=True)
    verdict = last.owed.verdict(made.script, reading.rights) if made is not None else last.owed.verdict()
    return Seen(folded(as_not_adopted(verdict)), last.files, replace(session, made=made), reading)

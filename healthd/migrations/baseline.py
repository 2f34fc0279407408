"""Adopt an existing database: find the version that it matches, prove it, and record it in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from healthd.background import Later
from healthd.comparison.judgement import major
from healthd.comparison.privileges import held_by_another
from healthd.comparison.roles import for_comparison, most_frequent
from healthd.comparison.server_texts import as_printed, same_text, text_of, texts_of, textual
from healthd.comparison.waived import in_words
from healthd.config.settings import Target
from healthd.database.dsn import Dsn
from healthd.database.held_connection import Where, lent
from healthd.database.snapshot.reading import read
from healthd.database.snapshot.transaction import Reading
from healthd.errors import ConfigError, MigrationFailed
from healthd.expected.distance import misfits
from healthd.expected.files import Migration, up_to
from healthd.expected.lockfile import LockFile, disagreements
from healthd.expected.status import ahead, states
from healthd.expected.store import Files, of_another_major
from healthd.migrations.database_state import ELSEWHERE
from healthd.migrations.engine.lock_waits import Say, to_stderr
from healthd.migrations.engine.text_recorder import makers
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.model.findings import Finding, Verdict
from healthd.model.ledger import Applied, Printed, State, digest_of_text
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot
from healthd.rounds.follow_up import conclude_closely
from healthd.rounds.observation import Observation
from healthd.text import some

TRIED = 12  # how many of the closest versions are compared before the closest one is reported


@dataclass(frozen=True, slots=True)
class Trusted:
    """A text that two major versions print differently; `recorded` is what this server printed at the last record."""

    key: Key
    attribute: str
    expected: str
    actual: str
    recorded: str | None


@dataclass(frozen=True, slots=True)
class Fit:
    """How a database compares with one version: the migrations of that version, and the differences.

    `marked` are the migrations that the ledger already has. `unseen` change no object, so it cannot be verified that
    they were run. `texts` are to be recorded: how this server prints the texts that the lock file has from another
    major version. `trusted` are those of them that differ; only a person can determine whether they mean the same.
    """

    migrations: tuple[Migration, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    marked: frozenset[str]
    unseen: tuple[str, ...]
    texts: tuple[Printed, ...] = ()
    trusted: tuple[Trusted, ...] = ()
    waived: tuple[str, ...] = ()  # differences that waivers cover, in words
    owner: str | None = None  # the role that gets a new ledger; None: the role that connects

    @property
    def at(self) -> str | None:
        """Return the id of the last migration, None if there is none."""
        return self.migrations[-1].id if self.migrations else None

    @property
    def adopted(self) -> tuple[Migration, ...]:
        """Return the migrations that the ledger lacks."""
        return tuple(one for one in self.migrations if one.id not in self.marked)

    @property
    def severity(self) -> Severity:
        """Return the severity of the differences: unknown only if nothing is known to differ."""
        known = [one.severity for one in self.findings if one.severity is not Severity.UNKNOWN]
        return max(known) if known else max((one.severity for one in self.findings), default=Severity.OK)


async def fit(
    target: Target,
    migrations: Sequence[Migration],
    lock: LockFile,
    *,
    to: str | None = None,
    allow_unexpected: bool = False,
    record_texts: bool = False,
    where: Where | None = None,
) -> Fit:
    """Return how a database compares with the version `to`; without it, with the version that is closest.

    With `record_texts`, texts that two major versions print differently are accepted: a person has reviewed them.
    Only reads. Raises if the files do not match the lock file, or the ledger does not match the files.
    """
    if wrong := tuple(disagreements(lock, migrations)):
        raise MigrationFailed(
            f"the lock file does not match the files: {some(wrong)}", hint="regenerate it with: healthd lock"
        )
    files = Files.of(lock, migrations)
    async with lent(target.dsn if where is None else where) as connection:
        reading = await read(connection, texts=of_another_major(Later.made(files), connection.info.server_version))
        owner = None if reading.ledger.schemas else _owner_of_objects(lock, reading.snapshot)
        if owner is not None:
            reading = replace(reading, ledger=replace(reading.ledger, owner=owner))
        found = await _fit_of(
            connection, target, migrations, lock, reading, to, allow_unexpected=allow_unexpected, trust=record_texts
        )
        return replace(found, owner=owner)


def _owner_of_objects(lock: LockFile, actual: Snapshot) -> str | None:
    """Return the role that owns most of the objects that the files create: in a database without a ledger, it migrates.

    None if there are no such objects.
    """
    made = {effect.key for one in lock.migrations for effect in one.effects}
    return most_frequent(
        record.role
        for key, record in actual.objects.items()
        if key.kind == "owner" and Key(key.path[0], key.path[1:]) in made
    )


async def _fit_of(
    connection: Any,
    target: Target,
    migrations: Sequence[Migration],
    lock: LockFile,
    reading: Reading,
    to: str | None,
    *,
    allow_unexpected: bool,
    trust: bool,
) -> Fit:
    files = Files.of(lock, migrations)
    given, lock = _given(migrations, reading), lock.on(reading.snapshot.server_version)
    if trust and to is None:
        to = _applied(migrations, given)
    anyway = _expected_somewhere(lock) if allow_unexpected else None
    judged: list[Fit] = []
    for position in islice(_positions(migrations, reading, lock, given, to), TRIED):
        prefix = tuple(migrations[:position])
        as_if = _as_if(reading, prefix, without_texts=trust)
        _, verdict = await conclude_closely(connection, target, files, Observation(as_if))
        found = _fit(prefix, verdict, lock, frozenset(given), anyway)
        judged.append(_with_texts(found, lock, reading, trust=trust))
        if not judged[-1].findings:
            return judged[-1]
    return min(judged, key=lambda one: len(one.findings))


def _applied(migrations: Sequence[Migration], given: Sequence[str]) -> str:
    """Return the version of the ledger; raise ConfigError without one: versions may differ in texts only."""
    names = [one.id for one in migrations]
    if not given:
        raise ConfigError(
            "--record-texts needs a version, and the database has no ledger",
            hint="also specify the version that the database is at: --to ID",
        )
    if waiting := [name for name in names[: names.index(given[-1])] if name not in given]:
        raise MigrationFailed(
            f"pending, although {given[-1]} is applied: {some(waiting)}",
            hint="apply it first: healthd migrate --allow-out-of-order",
        )
    return given[-1]


def _with_texts(found: Fit, lock: LockFile, reading: Reading, *, trust: bool) -> Fit:
    """Return a fit with the texts to record; with `trust`, also those that differ, without their findings."""
    applied, version = {one.id for one in found.migrations}, reading.snapshot.server_version
    expected = lock.expected(applied, textual())
    if major(expected) == version // 10000:
        return found
    made_by = makers(one for one in lock.migrations if one.id in applied)
    before, known = as_printed(expected, reading.ledger.texts, version)
    texts, trusted = [], []
    for key, record in expected.objects.items():
        for name, text in texts_of(record):
            own = text_of(reading.snapshot.objects.get(key), name)
            if own is None or key not in made_by or not (trust or same_text(text, own)):
                continue
            alike = same_text(text, own)
            texts.append(Printed(made_by[key], key, name, digest_of_text(text), None if alike else own))
            recorded = text_of(before.objects[key], name) if (key, name) in known else None
            if not alike and not same_text(own, recorded):
                trusted.append(Trusted(key, name, text, own, recorded))
    findings = tuple(one for one in found.findings if not (trust and one.check == "texts"))
    return replace(found, findings=findings, texts=tuple(texts), trusted=tuple(trusted))


def _given(migrations: Sequence[Migration], reading: Reading) -> tuple[str, ...]:
    """Return the migrations that the ledger already has, in the order of the files."""
    ledger = reading.ledger.readable()
    known = tuple(states([(one.id, one.digest) for one in migrations], (), ledger.applied))
    if foreign := ahead(known):
        raise MigrationFailed(foreign, hint="restore its files")
    if edited := [one.id for one in known if one.state is State.EDITED]:
        raise MigrationFailed(f"edited after it was applied: {some(edited)}", hint="restore the file")
    return tuple(one.id for one in known if one.state is State.APPLIED)


def _positions(
    migrations: Sequence[Migration], reading: Reading, lock: LockFile, given: Sequence[str], to: str | None
) -> Iterator[int]:
    """Yield the numbers of migrations to compare with, the most likely first; none is lower than the ledger's."""
    names = [one.id for one in migrations]
    least = max((names.index(one) + 1 for one in given), default=0)
    if to is not None:
        position = len(up_to(migrations, to))
        if position < least:
            raise MigrationFailed(
                f"{names[least - 1]} is applied, and comes after {to}", hint="roll it back first: healthd rollback"
            )
        yield position
        return
    actual = for_comparison(reading.snapshot, reading.ledger.owner).objects
    counts = misfits(lock, actual)
    yield from sorted(range(least, len(names) + 1), key=lambda position: (counts[position], -position))


def _as_if(reading: Reading, prefix: Sequence[Migration], *, without_texts: bool) -> Reading:
    """Return a reading as if its ledger had these migrations, no run were active, and, if so asked, without texts."""
    at = datetime.min.replace(tzinfo=UTC)
    applied = tuple(Applied(one.id, at, one.digest, one.rollback_digest) for one in prefix)
    texts = () if without_texts else reading.ledger.texts
    return replace(reading, ledger=replace(reading.ledger, applied=applied, texts=texts), runner=None)


def _expected_somewhere(lock: LockFile) -> frozenset[str]:
    """Return the names of all objects that any migration touches: if one is extra, a migration is partly applied."""
    return frozenset(str(effect.key) for one in lock.migrations for effect in one.effects)


def _fit(
    prefix: tuple[Migration, ...],
    verdict: Verdict,
    lock: LockFile,
    marked: frozenset[str],
    anyway: frozenset[str] | None,
) -> Fit:
    findings = [one for one in verdict.findings if one.check not in ELSEWHERE]
    extra = [
        one
        for one in findings
        if held_by_another(one)
        or (anyway is not None and one.problem == "unexpected_object" and str(one.key) not in anyway)
    ]
    effects = {one.id: len(one.effects) for one in lock.migrations}
    return Fit(
        prefix,
        tuple(one for one in findings if one not in extra),
        (*(one.message for one in extra), *verdict.notes),
        marked,
        tuple(one.id for one in prefix if one.id not in marked and not effects[one.id]),
        waived=tuple(map(in_words, verdict.waived)),
    )


async def adopt(target: Target, found: Fit, lock: LockFile, *, wait_s: float = 60.0, say: Say = to_stderr) -> None:
    """Mark the migrations of a version as applied and record its texts, in one transaction under the migration lock.

    Copies of the files are kept with their records in the lock file, also of migrations that were marked before.
    """
    await asyncio.to_thread(_adopt, target.dsn, found, lock, wait_s, say)


def _adopt(dsn: str | Dsn, found: Fit, lock: LockFile, wait_s: float, say: Say) -> None:
    with opened(dsn, wait_s=wait_s, say=say, records=bool(found.texts), lock_file=lock) as backend:
        theirs = {one.id: yoyo_migration(one) for one in found.migrations}
        if found.owner is not None:
            backend.refuse_foreign_owner(found.owner)
        backend.ensure_internal_schema_updated()
        if backend.applied_ids() != found.marked:
            raise MigrationFailed("another run migrated the database meanwhile; nothing was changed", hint="try again")
        with backend.transaction():
            if found.owner is not None:
                backend.give_ledger(found.owner)
            for one in found.migrations:
                backend.adopt(theirs[one.id], one, mark=one.id not in found.marked)
            backend.record(found.texts)

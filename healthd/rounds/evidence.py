"""From an observation to evidence: it is compared with the files, and differences that are no drift are set aside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from healthd import catalog
from healthd.catalog import KINDS
from healthd.catalog.schema_members import schema_of
from healthd.comparison.passes import Comparison, Given, Reason, Sorted, compare, sort_out
from healthd.comparison.platform import is_of
from healthd.comparison.privileges import PRIVILEGES, is_agreed, is_elsewhere, is_held_by_a_stranger, named_roles
from healthd.comparison.roles import for_comparison
from healthd.comparison.unexpected_parts import parts, without
from healthd.comparison.unreported import AGREED, ELSEWHERE, NO_TEMPLATE, PROFILE, RUNNING
from healthd.config.settings import Target
from healthd.database.snapshot.transaction import Reading
from healthd.expected.lockfile import LockFile
from healthd.expected.status import states
from healthd.expected.store import Files
from healthd.model.findings import Evidence
from healthd.model.ledger import Interrupted, MigrationState
from healthd.model.names import Key
from healthd.model.snapshots import UNREADABLE, diff
from healthd.rounds.near_comparison import near_comparison
from healthd.rounds.observation import Observation
from healthd.rounds.sides import Promise


def evidence_of(target: Target, files: Files, observation: Observation) -> tuple[Comparison, Sorted, Evidence]:
    """Return how the database compares with the files, what of it is drift and what is not, and what checks judge."""
    reading, ledger = observation.reading, observation.reading.ledger
    lock_file = files.lock.on(reading.snapshot.server_version)
    promise = Promise(lock_file, reading, target.tenants)
    comparison = _compared_near(target, files, promise, reading) or _compared(target, promise, reading)
    roles = _roles(comparison, lock_file, target, ledger.owner)
    interrupted = () if reading.maintenance else ledger.interrupted
    moving = _moving(lock_file, reading, interrupted)
    parted = sort_out(comparison, promise.whole, _reasons(target, promise, comparison, roles, reading, moving))
    migrations = tuple(states(files.migrations, promise.locked, ledger.applied, interrupted))
    evidence = _evidence(target, files, observation, migrations, promise, comparison, parted, roles)
    return comparison, parted, evidence


def _compared_near(target: Target, files: Files, promise: Promise, reading: Reading) -> Comparison | None:
    """Return the comparison of a reading of changes, if it can be made without all other objects."""
    if reading.deviations is None:
        return None
    return near_comparison(target, promise, reading, files.places(reading.snapshot.server_version))


def _compared(target: Target, promise: Promise, reading: Reading) -> Comparison:
    """Return the comparison of the database with the files."""
    expected = promise.of(KINDS.keys() - reading.snapshot.omitted)
    actual = promise.actual
    apart = promise.tenants.apart if promise.tenants is not None else frozenset()
    given = Given(target.partitions, reading.touched, reading.ledger.owner, promise.whole, apart)
    differences = diff(expected, actual)
    if not any(one.attribute is None for one in differences):
        return compare(expected, actual, given)
    expected, whole = promise.whole(expected), promise.whole(actual)  # what one is a part of may be of any kind
    if not (aside := parts(differences, KINDS)):
        return compare(expected, whole, given)
    found = compare(expected, promise.whole(replace(actual, objects=without(actual.objects, aside))), given)
    aligned = replace(found.aligned, objects={**found.aligned.objects, **aside})
    return replace(found, actual=whole, aligned=aligned)


def _roles(comparison: Comparison, lock_file: LockFile, target: Target, owner: str | None) -> frozenset[str]:
    """Return the roles that sql/ or a contract names if a privilege differs; this reads all migrations."""
    if not any(one.key.kind in PRIVILEGES for one in comparison.differences):
        return frozenset()
    kinds = frozenset(catalog.names(lambda kind: kind.with_roles))
    return named_roles(for_comparison(lock_file.expected(None, kinds), owner).objects, target.contracts)


def _moving(lock_file: LockFile, reading: Reading, interrupted: Iterable[Interrupted]) -> frozenset[Key]:
    """Return the objects that an interrupted or a running migration changes or locks: they are not judged yet."""
    names = {one.id for one in interrupted}
    if reading.maintenance:
        names |= {one.id for one in lock_file.without([one.id for one in reading.ledger.applied])}
    return frozenset(effect.key for one in lock_file.migrations if one.id in names for effect in one.effects)


def _reasons(
    target: Target,
    promise: Promise,
    comparison: Comparison,
    roles: frozenset[str],
    reading: Reading,
    moving: frozenset[Key],
) -> tuple[Reason, ...]:
    """Return the reasons why a difference is not drift, in the order in which they are tested."""
    there = promise.whole(comparison.aligned).objects
    running = reading.maintenance is not None
    tenants = promise.tenants
    uncompared = tenants.names if tenants is not None and not tenants.compared else ()
    return (
        *((PROFILE.format(profile.name), partial(is_of, profile)) for profile in target.profiles),
        *((NO_TEMPLATE, lambda one: schema_of(one.key) in uncompared) for _ in uncompared[:1]),
        (AGREED, lambda one: is_agreed(one, target.contracts)),
        (ELSEWHERE, lambda one: is_elsewhere(one, roles, there)),
        (RUNNING, lambda one: _about(one.key) in moving or (running and one.attribute == UNREADABLE)),
    )


def _evidence(
    target: Target,
    files: Files,
    observation: Observation,
    migrations: tuple[MigrationState, ...],
    promise: Promise,
    comparison: Comparison,
    parted: Sorted,
    roles: frozenset[str],
) -> Evidence:
    ledger = observation.reading.ledger
    in_files = {name for name, _ in files.migrations}.difference(promise.locked)
    return Evidence(
        target=target.name,
        expected=promise.whole(comparison.expected),
        actual=promise.whole(comparison.actual),
        differences=parted.judged,
        contracts=target.contracts,
        migrations=migrations,
        unlocked=tuple(one.id for one in ledger.applied if one.id in in_files),
        round_trips=observation.round_trips,
        samples=observation.samples.found,
        unsampled=observation.samples.unsampled,
        access=observation.access,
        prepared=observation.prepared,
        kinds=KINDS,
        aligned=promise.whole(comparison.aligned).objects,
        consequences=parted.consequences,
        inside=parted.inside,
        lenient=frozenset(one.place for one in comparison.differences if is_held_by_a_stranger(one, roles)),
        counters=observation.vitals.counters or (),
        sorted_by=observation.vitals.sorted_by or (),
        printed=promise.printed,
        texts_grant=ledger.texts_grant,
        locked=comparison.aligned.locked,
        tenants=promise.tenants,
    )


def _about(key: Key) -> Key:
    """Return the key that the effects of a migration use for an object: they have no half-detached partitions."""
    return Key("table", key.path) if key.kind == "detachment" else key

"""The two sides of a comparison: the objects that a database must have, and those that it has."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property

from healthd.background import Later
from healthd.catalog import KINDS
from healthd.catalog.grants import Grant
from healthd.catalog.tenant_digests import TenantDigests
from healthd.comparison.lazy_objects import whole
from healthd.comparison.roles import for_comparison
from healthd.comparison.server_texts import as_printed
from healthd.comparison.tenant_texts import Template
from healthd.comparison.tenants import (
    also_in_tenants,
    differing_only,
    template_digests,
    template_of,
    tenants_among,
    with_tenants,
)
from healthd.config.settings import Target
from healthd.database.ledger import Ledger
from healthd.database.snapshot.digest_reader import STAND_IN
from healthd.database.snapshot.transaction import OfTenants, Reading
from healthd.expected.lockfile import LockFile
from healthd.expected.store import Files
from healthd.model.ddl_watch import is_installed
from healthd.model.names import Key, quote
from healthd.model.snapshots import Place, Snapshot
from healthd.model.tenants import TenantRule, Tenants


def sides(files: Files, reading: Reading, rule: TenantRule | None = None) -> tuple[Snapshot, Snapshot]:
    """Return the expected and the actual objects of a reading, as they are compared.

    Schemas of tenants in which nothing differs are left out.
    """
    promise = Promise(files.lock.on(reading.snapshot.server_version), reading, rule)
    both = promise.of(KINDS.keys()), promise.whole(promise.actual)
    return differing_only(*both, promise.tenants.names) if promise.tenants is not None else both


def digests_of_tenants(files: Later[Files], server_version: int, target: Target) -> OfTenants | None:
    """Return a function that returns what schemas of tenants must contain, as digests; None without tenants.

    A schema that a contract or another setting of the target names is read, whatever its digests are.
    """
    rule = target.tenants
    if rule is None:
        return None
    named = repr((target.contracts, target.partitions))

    async def wanted(ledger: Ledger) -> TenantDigests:
        lock_file = (await files.ready()).lock.on(server_version)
        objects = lock_file.expected([one.id for one in ledger.applied]).objects
        digests, unsure = template_digests(objects, rule.template, STAND_IN)
        return TenantDigests(
            STAND_IN,
            lambda schemas: rule.among(schemas - _others(lock_file, ledger)),
            lambda schema: quote(schema) == schema and schema not in named,
            digests,
            unsure,
        )

    return wanted


def _others(lock_file: LockFile, ledger: Ledger) -> frozenset[str]:
    """Return the schemas that are no tenants, whatever their names: those of the files and of the ledger."""
    return frozenset({key.path[0] for key in lock_file.expected(None, {"schema"}).objects}.union(ledger.schemas))


def is_watched(files: Files, reading: Reading) -> bool:
    """Return whether the DDL watch is installed in a database."""
    if "event_trigger" not in reading.snapshot.omitted:
        return is_installed(reading.snapshot.objects)
    lock_file = files.lock.on(reading.snapshot.server_version)
    return is_installed(lock_file.expected([one.id for one in reading.ledger.applied], {"event_trigger"}).objects)


class Promise:
    """The objects that one database must have, as its server prints them; each kind is computed when needed."""

    def __init__(self, lock_file: LockFile, reading: Reading, rule: TenantRule | None = None) -> None:
        self.printed: dict[Place, str] = {}  # texts recorded as this server prints them, with their migration
        self.tenants = tenants_of(rule, lock_file, reading) if rule is not None else None
        self._reading = reading
        self._lock_file, self._ledger, self._version = lock_file, reading.ledger, reading.snapshot.server_version
        self.applied = [one.id for one in reading.ledger.applied]
        self.locked = [one.id for one in lock_file.migrations]  # the ids in the lock file

    def of(self, kinds: Collection[str]) -> Snapshot:
        """Return the objects of these kinds."""
        expected, recorded = as_printed(
            self._lock_file.expected(self.applied, kinds), self._ledger.texts, self._version
        )
        expected = for_comparison(expected, self._ledger.owner)
        if self.tenants is None or not self.tenants.compared:
            self.printed.update(recorded)
            return expected
        there = self.actual.objects
        if recorded:
            self.printed.update(also_in_tenants(recorded, expected, there, self.tenants, self._template))
        return with_tenants(expected, there, self.tenants, self._template)

    @cached_property
    def _template(self) -> Template | None:
        """Return the template of the schemas of tenants."""
        objects = self._lock_file.expected(self.applied).objects
        return template_of(objects, self.tenants.rule.template) if self.tenants is not None else None

    @cached_property
    def actual(self) -> Snapshot:
        """Return the actual objects, as they are compared."""
        return actual_objects(self._reading)

    def whole(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot with the kinds that it omits because they are as expected."""
        return whole(snapshot, lambda kind: self.of({kind}).objects)


def tenants_of(rule: TenantRule, lock_file: LockFile, reading: Reading) -> Tenants:
    """Return the schemas of tenants: those that match, and that neither the files create nor the ledger is in."""
    now = lock_file.expected([one.id for one in reading.ledger.applied], {"schema"})
    others = _others(lock_file, reading.ledger)
    found = tenants_among(rule, now, reading.snapshot, others)
    whole = lock_file.expected(None, {"schema"}).objects
    return replace(found, known=found.compared or Key("schema", (rule.template,)) in whole)


def actual_objects(reading: Reading) -> Snapshot:
    """Return the objects of a reading without the privilege that healthd itself needs."""
    ours = frozenset(of_reader(reading))
    objects = {key: record for key, record in reading.snapshot.objects.items() if key not in ours}
    snapshot = replace(reading.snapshot, objects=objects) if ours else reading.snapshot
    return for_comparison(snapshot, reading.ledger.owner)


def of_reader(reading: Reading) -> Iterator[Key]:
    """Yield the privilege that healthd itself needs: USAGE on the schema of the ledger."""
    for schema in reading.ledger.schemas:
        key = Key("grant", ("schema", schema, reading.ledger.reader or ""))
        if reading.snapshot.objects.get(key) == Grant(("USAGE",)):
            yield key

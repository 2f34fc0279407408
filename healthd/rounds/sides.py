"""The two sides of a comparison: the objects that a database must have, and those that it has."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from healthd.catalog import KINDS
from healthd.catalog.grants import Grant
from healthd.comparison.lazy_objects import whole
from healthd.comparison.roles import for_comparison
from healthd.comparison.server_texts import as_printed
from healthd.database.snapshot.transaction import Reading
from healthd.expected.lockfile import LockFile
from healthd.expected.store import Files
from healthd.model.ddl_watch import is_installed
from healthd.model.names import Key
from healthd.model.snapshots import Place, Snapshot


def sides(files: Files, reading: Reading) -> tuple[Snapshot, Snapshot]:
    """Return the expected and the actual objects of a reading, as they are compared."""
    promise = Promise(files.lock.on(reading.snapshot.server_version), reading)
    actual = actual_objects(reading)
    return promise.of(KINDS.keys()), promise.whole(actual)


def is_watched(files: Files, reading: Reading) -> bool:
    """Return whether the DDL watch is installed in a database."""
    if "event_trigger" not in reading.snapshot.omitted:
        return is_installed(reading.snapshot.objects)
    lock_file = files.lock.on(reading.snapshot.server_version)
    return is_installed(lock_file.expected([one.id for one in reading.ledger.applied], {"event_trigger"}).objects)


class Promise:
    """The objects that one database must have, as its server prints them; each kind is computed when needed."""

    def __init__(self, lock_file: LockFile, reading: Reading) -> None:
        self.printed: dict[Place, str] = {}  # texts recorded as this server prints them, with their migration
        self._lock_file, self._ledger, self._version = lock_file, reading.ledger, reading.snapshot.server_version
        self._applied = [one.id for one in reading.ledger.applied]
        self.locked = [one.id for one in lock_file.migrations]  # the ids in the lock file

    def of(self, kinds: Collection[str]) -> Snapshot:
        """Return the objects of these kinds."""
        expected, recorded = as_printed(
            self._lock_file.expected(self._applied, kinds), self._ledger.texts, self._version
        )
        self.printed.update(recorded)
        return for_comparison(expected, self._ledger.owner)

    def whole(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot with the kinds that it omits because they are as expected."""
        return whole(snapshot, lambda kind: self.of({kind}).objects)


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

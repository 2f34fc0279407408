"""One transaction that reads the objects, the ledger and the migration lock of a database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any

from psycopg import AsyncConnection

from healthd import catalog
from healthd.catalog.digests import Digest
from healthd.catalog.tenant_digests import Digested, TenantDigests, mentioned
from healthd.database.connection import LIMITS, SESSION, read_only
from healthd.database.ledger import Ledger, read_books, with_texts
from healthd.database.snapshot.change_token import Mark
from healthd.database.snapshot.digest_reader import absent_kinds, read_digests
from healthd.database.snapshot.kind_reader import KindFailed, read_kinds
from healthd.database.snapshot.second_connection import Second
from healthd.database.snapshot.table_locks import TableLocks
from healthd.model.names import Key
from healthd.model.observations import Rights, Size, TouchedColumn
from healthd.model.running import Runner
from healthd.model.snapshots import Snapshot

Digests = Callable[[Ledger], Coroutine[Any, Any, Mapping[str, Digest]]]


Texts = Callable[[], Coroutine[Any, Any, bool]]  # whether the ledger's texts are needed
OfTenants = Callable[[Ledger], Coroutine[Any, Any, TenantDigests]]


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that one transaction saw: the objects, the ledger, and who is running a migration.

    `settings` are those that databases and roles give to new sessions; `digests` are those that were requested.
    `touched` is, for tables whose columns seem to be swapped, when each column was last changed; `rows` is how many
    rows queries of the repair returned, up to a bound; `sizes` are those of the relations that the repair locks;
    `updates` is, for extensions of another version, from which version to which they can be updated; `members` is,
    for missing objects that are parts of an extension, the statement that takes them out; `rights` is what the role of
    the connection lacks, if something can be repaired. `deviations` are all objects that differ from the
    expected ones, None for a missing one, if only what had changed was read.
    """

    snapshot: Snapshot
    ledger: Ledger = field(default_factory=Ledger)
    runner: Runner | None = None
    settings: str = ""
    digests: Mapping[str, Digest] = field(default_factory=dict)
    touched: Mapping[Key, tuple[TouchedColumn, ...]] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, Size] = field(default_factory=dict)
    updates: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    members: Mapping[Key, str] = field(default_factory=dict)
    rights: Rights | None = None
    mark: Mark | None = None  # while it stays the same, another reading would be the same
    deviations: Mapping[Key, Any] | None = None

    @property
    def maintenance(self) -> str | None:
        """Return who is running a migration, in words."""
        return self.runner.words if self.runner is not None else None

    @property
    def as_expected(self) -> bool:
        """Return whether each kind has the expected digest."""
        return self.snapshot.omitted >= self.digests.keys() > set() and not self.snapshot.locked

    @property
    def adopted(self) -> bool:
        """Return whether there is a ledger, or a migration that may be creating it."""
        return bool(self.runner or self.ledger.schemas or self.ledger.applied)


async def read_once(
    connection: AsyncConnection[Any],
    books: Sequence[str],
    digests: Digests | None,
    second: Second | None = None,
    migrates: Callable[[Ledger], str | None] = attrgetter("owner"),
    texts: Texts | None = None,
    locks: TableLocks | None = None,
    tenants: OfTenants | None = None,
) -> Reading:
    locks = locks or TableLocks()
    for readings in range(READINGS, 0, -1):
        try:
            async with read_only(connection, {**SESSION, **LIMITS, **locks.limits}):
                if locks.waited:
                    await locks.look(connection)
                ledger, runner, settings = await read_books(connection, books[0])
                values: dict[str, Any] = {"books": list(books), "migrator": None}
                found = Digested()
                if digests is not None and not ledger.refused:
                    await asyncio.to_thread(getattr, catalog, "KINDS")  # loads the kinds, if this is not done yet
                    of_tenants = await tenants(ledger) if tenants is not None else None
                    expected = partial(digests, ledger)
                    found = await read_digests(connection, books, migrates(ledger), second, expected, locks, of_tenants)
                    values |= {"migrator": found.migrator, "alike": list(found.alike)}
                needless = found.same if found.found else await absent_kinds(connection)
                last, alike = readings == 1, found.alike
                objects, locked, unreadable = await read_kinds(connection, values, needless, locks, last, alike)
                if named := mentioned(objects, alike):  # by a tenant that differs: the script must know them as well
                    alike -= named
                    values["alike"] = list(alike)
                    objects, locked, unreadable = await read_kinds(connection, values, needless, locks, last, alike)
                if texts is not None and len(ledger.schemas) == 1 and await texts():
                    ledger = await with_texts(connection, ledger, found.same)
                version = connection.info.server_version
                snapshot = Snapshot(version, objects, unreadable, found.same, locked, alike)
                return Reading(snapshot, ledger, runner, settings, found.found)
        except KindFailed:
            # pg_get_* see the newest catalog: they fail for an object that was dropped meanwhile. Read again.
            continue
    raise AssertionError("the last reading takes what it gets")


READINGS = 3  # in each but the last, an error that only a concurrent change explains is a reason to begin again

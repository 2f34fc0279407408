"""Read all objects of a database, as one short transaction sees them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from healthd.catalog.digests import NONE, Digest, digest_of
from healthd.database.snapshot.digest_reader import asked
from healthd.database.snapshot.second_connection import Second
from healthd.database.snapshot.stability import nothing_committed, quiet_mark, when_still
from healthd.database.snapshot.table_locks import TableLocks
from healthd.database.snapshot.transaction import Digests, OfTenants, Reading, Texts, read_once
from healthd.model.ledger import BOOKS
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot


async def always() -> bool:
    """Always request the ledger's texts; for `read`."""
    return True


def digests_of(objects: Mapping[Key, Any]) -> Digests:
    """Return a function that requires, for each kind, the digest of these objects; for `read`."""

    async def wanted(_: object) -> Mapping[str, Digest]:
        return expected_digests(objects)

    return wanted


def expected_digests(objects: Mapping[Key, Any]) -> dict[str, Digest]:
    """Return the digest of each kind in a database with these objects."""
    return dict.fromkeys(asked(), NONE) | digest_of(objects)


async def take_snapshot(connection: AsyncConnection[Any]) -> Snapshot:
    """Return all objects of the connection's database, in one short REPEATABLE READ READ ONLY transaction.

    The connection must be idle, and is idle again afterwards; its settings are left unchanged.
    Only the privilege to connect is needed. Raises subclasses of HealthdError if the server reports an error.
    """
    return (await read(connection)).snapshot


async def take_snapshot_after(
    connection: AsyncConnection[Any], known: Snapshot, *, migrator: str | None = None
) -> Snapshot:
    """Return all objects of a database that no one else changes; of the `known`, only changed kinds are read again.

    The `migrator` is not listed as the owner of its objects.
    """
    return (await take_with_digests(connection, known, expected_digests(known.objects), migrator=migrator))[0]


async def take_with_digests(
    connection: AsyncConnection[Any], known: Snapshot, digests: Mapping[str, Digest], *, migrator: str | None = None
) -> tuple[Snapshot, Mapping[str, Digest]]:
    """Return the same as `take_snapshot_after`, and the digests of all kinds; `digests` are those of the known."""

    async def wanted(_: object) -> Mapping[str, Digest]:
        return digests

    taken = await read_once(connection, BOOKS, wanted, migrates=lambda _: migrator)
    read = taken.snapshot
    same = {key: record for key, record in known.objects.items() if key.kind in read.omitted}
    return dataclasses.replace(read, objects={**same, **read.objects}, omitted=frozenset()), taken.digests


async def read(
    connection: AsyncConnection[Any],
    *,
    books: Sequence[str] = BOOKS,
    digests: Digests | None = None,
    second: Second | None = None,
    texts: Texts | None = None,
    locks: TableLocks | None = None,
    drifted: bool = False,
    tenants: OfTenants | None = None,
) -> Reading:
    """Return the objects, the ledger and the migration lock as one transaction sees them.

    `digests` returns, for the migrations of a ledger, the expected digest of each kind: the objects of kinds that have
    it are omitted. The role that runs migrations is then not listed as the owner of its objects. A `second` connection
    computes some of the digests, in a transaction of its own: a kind that matches does so at either time.
    Kinds that other sessions change all the time are unreadable: a part of what is read of them would be newer.
    If `texts` returns true, the recorded texts of the other kinds are read from the ledger.
    A database that has `drifted` before has probably not the expected objects: all that is read must be consistent.
    With `tenants`, digests decide which of their schemas are read.
    What earlier readings of a round know of locked tables is in `locks`: only the first one waits for them.
    """
    locks = locks or TableLocks()
    if digests is not None and not drifted:
        mark = await quiet_mark(connection)
        reading = await read_once(connection, books, digests, second, texts=texts, locks=locks, tenants=tenants)
        if reading.as_expected:
            return reading  # objects that match the expectation were not read between two states
        if mark is not None and await nothing_committed(connection, mark):
            return dataclasses.replace(reading, mark=mark)
    return await when_still(
        connection, lambda: read_once(connection, books, digests, texts=texts, locks=locks, tenants=tenants)
    )

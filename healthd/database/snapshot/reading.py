"""Read all objects of a database, as one short transaction sees them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from healthd.catalog.digests import NONE, Digest, digest_of
from healthd.database.snapshot.second_connection import Second
from healthd.database.snapshot.stability import when_still
from healthd.database.snapshot.transaction import Digests, Reading, Texts, _read_once, asked
from healthd.model.ledger import BOOKS
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot


async def always() -> bool:
    """Ask for the ledger's texts whatever they are compared with; for `reading.read`."""
    return True


def digests_of(objects: Mapping[Key, Any]) -> Digests:
    """Return what says that each kind must have the digest that these objects make; for `reading.read`."""

    async def wanted(_: object) -> Mapping[str, Digest]:
        return dict.fromkeys(asked(), NONE) | digest_of(objects)

    return wanted


async def take_snapshot(connection: AsyncConnection[Any]) -> Snapshot:
    """Return all objects of the connection's database, in one short REPEATABLE READ READ ONLY transaction.

    The connection must be idle, and is idle again afterwards; its settings are left as they were.
    Nothing but the privilege to connect is needed. Raises HealthdError's children when the server fails.
    """
    return (await read(connection)).snapshot


async def take_snapshot_after(
    connection: AsyncConnection[Any], known: Snapshot, *, migrator: str | None = None
) -> Snapshot:
    """Return all objects of a database that nobody changes just now; of the `known`, only kinds that moved are read.

    Objects of the `migrator` are not told to be its own.
    """
    taken = (await _read_once(connection, BOOKS, digests_of(known.objects), migrates=lambda _: migrator)).snapshot
    same = {key: record for key, record in known.objects.items() if key.kind in taken.omitted}
    return dataclasses.replace(taken, objects={**same, **taken.objects}, omitted=frozenset())


async def read(
    connection: AsyncConnection[Any],
    *,
    books: Sequence[str] = BOOKS,
    digests: Digests | None = None,
    second: Second | None = None,
    texts: Texts | None = None,
) -> Reading:
    """Return the objects, the ledger and the migration lock as one transaction sees them.

    `digests` says, for the migrations of a ledger, which digest each kind should have: of the kinds that have it the
    objects are left out. Objects of the role that migrates are not told to be its own then. A `second` connection
    makes some of the digests, in a transaction of its own: a kind that is as it should be is so at either time.
    Kinds that others change all the while are unreadable: half of what is read of them would be newer.
    How this server prints what migrations made is read of the other kinds, where `texts` says that it is of use.
    """
    if digests is not None:
        reading = await _read_once(connection, books, digests, second, texts=texts)
        if reading.as_expected:
            return reading  # what is as it should be was not caught between two states
    return await when_still(connection, lambda: _read_once(connection, books, digests, texts=texts))

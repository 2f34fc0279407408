"""A second connection for a round that takes long: it takes its share of what the round asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from healthd.database.connection import LIMITS, SESSION, dial, read_only, rows_of
from healthd.database.probes.round_trips import column_types
from healthd.database.probes.vitals import Vitals, read_vitals
from healthd.errors import HealthdError
from healthd.model.ledger import BOOKS
from healthd.model.names import Key

T = TypeVar("T")

# When it started, to the microsecond: no two servers have that in common.
SERVER = "SELECT pg_catalog.pg_postmaster_start_time()::text"

# Kinds of which the digests take about half of the time that all take. None of them is ever absent, and who migrates
# is no matter to them, so they are asked for before anything else is known; nor are the other kinds loaded then.
GIVEN_AWAY = {
    "constraint": "healthd.catalog.constraints",
    "index": "healthd.catalog.indexes",
    "table": "healthd.catalog.tables",
    "view": "healthd.catalog.views",
    "sequence": "healthd.catalog.sequences",
}
FIRST = "index"  # not given away by a connection that has answered before: it is quicker than a new one


class Second:
    """A connection that is dialed at once, makes the digests of some `kinds`, and then reads more if that is wanted.

    The first connection may be `kept` from round to round. Whatever this one cannot do is left to the first: a role may
    be allowed one connection, a pooler may make the second one wait for the first to end, and of the several servers
    that a pooler or a list of hosts may lead to it may have found another one.
    """

    def __init__(self, dsn: str, timeout_s: float, *, more: bool = False, kept: bool = False) -> None:
        self.kept = kept
        self.kinds = tuple(name for name in GIVEN_AWAY if not (kept and name == FIRST))
        self._connection: AsyncConnection[Any] | None = None
        self._same_server = False
        self._digests = asyncio.ensure_future(self._start(dsn, timeout_s))
        self._types = asyncio.ensure_future(self._then(self._digests, column_types if more else None))
        self._vitals = asyncio.ensure_future(self._then(self._types, read_vitals if more else None))

    async def _start(self, dsn: str, timeout_s: float) -> tuple[str, list[Any]] | None:
        """Return the server, and the rows of the digests."""
        try:
            self._connection = await dial(dsn, timeout_s=timeout_s, patient=False)
            async with read_only(self._connection, {**SESSION, **LIMITS}):
                ((server,),) = await rows_of(self._connection, SERVER)
                return server, await digest_rows(self._connection, self.kinds)
        except HealthdError:
            return None

    async def _then(
        self, before: Awaitable[object], ask: Callable[[AsyncConnection[Any]], Awaitable[T]] | None
    ) -> T | None:
        await before
        if self._connection is None or ask is None:
            return None
        try:
            return await ask(self._connection)
        except HealthdError:
            return None

    async def types(self) -> Mapping[Key, str] | None:
        """Return the types of columns, None when they were not asked for or could not be read."""
        return await self._types if self._same_server else None

    async def vitals(self) -> Vitals | None:
        """Return what no snapshot holds, None when it was not asked for or could not be read."""
        return await self._vitals if self._same_server else None

    async def digests(self, server: str, *, patience_s: float) -> list[Any] | None:
        """Return the rows of the digests on this server, None when they are of another one or do not come in time."""
        await asyncio.wait({self._digests}, timeout=patience_s)
        if not self._digests.done():
            await self.close()
        if self._digests.cancelled():
            return None
        there, rows = await self._digests or (None, [])
        self._same_server = there == server
        return rows if self._same_server else None

    async def close(self) -> None:
        """Close it, whatever it is doing; the server is told to leave off."""
        tasks = (self._vitals, self._types, self._digests)
        try:
            if self._connection is not None and self._connection.info.transaction_status == TransactionStatus.ACTIVE:
                with suppress(psycopg.Error):
                    await self._connection.cancel_safe(timeout=0.5)
        finally:
            if self._connection is not None:
                await self._connection.close()  # before the tasks are: they would wait for the answer
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def digest_rows(connection: AsyncConnection[Any], given_away: Iterable[str]) -> list[Any]:
    """Return the rows of the digests of kinds that are given away: each a kind, a count and a sum."""
    from healthd.catalog.digests import digests_query

    kinds = [import_module(GIVEN_AWAY[name]).KIND for name in given_away]
    query = digests_query(kinds, connection.info.server_version).encode()
    return await (await connection.execute(query, {"books": list(BOOKS)})).fetchall()

"""A second connection for a round that takes long: it runs a share of the queries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from healthd.catalog.digests import digests_query
from healthd.catalog.presence import Presence, rare_question
from healthd.database.connection import LIMITS, SESSION, dial, read_only, rows_of
from healthd.database.dsn import Dsn
from healthd.database.open_connections import shut
from healthd.database.probes.round_trips import column_types
from healthd.database.probes.vitals import Vitals, read_vitals
from healthd.database.snapshot.table_locks import LOCKED
from healthd.errors import DatabaseFailed, HealthdError
from healthd.model.ledger import BOOKS
from healthd.model.names import Key

T = TypeVar("T")
SHUT_S = 0.1  # how long it takes at most to notice that a socket was shut

# The server's start time, to the microsecond: it identifies a server.
SERVER = "SELECT pg_catalog.pg_postmaster_start_time()::text"

# Kinds whose digests take about half of the time of all digests. None of them is ever absent, and they do not depend
# on the role that runs migrations, so they are queried before anything else is known; other kinds are not loaded yet.
GIVEN_AWAY = {
    "constraint": "healthd.catalog.constraints",
    "index": "healthd.catalog.indexes",
    "table": "healthd.catalog.tables",
    "view": "healthd.catalog.views",
    "sequence": "healthd.catalog.sequences",
}
FIRST = "index"  # stays with a first connection that was used before: it is faster than a new one


class Second:
    """A connection that is opened at once, computes the digests of some `kinds`, and then reads `more` if requested.

    The first connection may be `kept` from round to round. Whatever this one cannot do is left to the first: the role
    may be limited to one connection, a pooler may make the second one wait until the first one ends, and a pooler
    or a list of hosts may have led it to another server.
    """

    def __init__(self, dsn: str | Dsn, timeout_s: float, *, more: bool = False, kept: bool = False) -> None:
        self.kept = kept
        self.waited = False  # for a table that is locked, until the time for that was over
        self.kinds = tuple(name for name in GIVEN_AWAY if not (kept and name == FIRST))
        self._connection: AsyncConnection[Any] | None = None
        self._same_server = False
        self._digests = asyncio.ensure_future(self._start(dsn, timeout_s))
        self._types = asyncio.ensure_future(self._then(self._digests, column_types if more else None))
        self._vitals = asyncio.ensure_future(self._then(self._types, read_vitals if more else None))

    async def _start(self, dsn: str | Dsn, timeout_s: float) -> tuple[str, list[Any]] | None:
        """Return the server, and the rows of the digests."""
        try:
            self._connection = await dial(dsn, timeout_s=timeout_s, patient=False)
            async with read_only(self._connection, {**SESSION, **LIMITS}):
                ((server,),) = await rows_of(self._connection, SERVER)
                return server, await digest_rows(self._connection, self.kinds)
        except HealthdError as error:
            self.waited = isinstance(error, DatabaseFailed) and error.sqlstate == LOCKED
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
        """Return the types of columns, None if they were not requested or could not be read."""
        return await self._types if self._same_server else None

    async def vitals(self) -> Vitals | None:
        """Return the vitals, None if they were not requested or could not be read."""
        return await self._vitals if self._same_server else None

    async def digests(self, server: str, *, patience_s: float) -> list[Any] | None:
        """Return the digests' rows on this server, None if they are from another server or do not arrive in time."""
        await asyncio.wait({self._digests}, timeout=patience_s)
        if not self._digests.done():
            await self.close()
        if self._digests.cancelled():
            return None
        there, rows = await self._digests or (None, [])
        self._same_server = there == server
        return rows if self._same_server else None

    async def close(self) -> None:
        """Close the connection, whatever it is doing, and cancel its query."""
        tasks = (self._vitals, self._types, self._digests)
        try:
            if self._connection is not None and self._connection.info.transaction_status == TransactionStatus.ACTIVE:
                with suppress(psycopg.Error):
                    await self._connection.cancel_safe(timeout=0.5)
        finally:
            if self._connection is not None:
                shut(self._connection)  # the tasks end with an error; if they were cancelled, they would wait
                await asyncio.wait(tasks, timeout=SHUT_S)
                await self._connection.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def digest_rows(connection: AsyncConnection[Any], given_away: Iterable[str]) -> list[Any]:
    """Return the digests' rows for the given kinds: each a kind, a count and a sum."""
    kinds = [import_module(GIVEN_AWAY[name]).KIND for name in given_away]
    rare = rare_question(kinds)
    (found,) = await (await connection.execute(f"SELECT {', '.join(rare.values())}".encode())).fetchall()
    there = Presence(needless=frozenset(name for name, some in zip(rare, found, strict=True) if not some))
    query = digests_query(kinds, connection.info.server_version, there).encode()
    return await (await connection.execute(query, {"books": list(BOOKS)})).fetchall()

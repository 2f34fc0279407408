"""Connections: open one, query it in a transaction that leaves no trace, and translate the driver's errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import md5
from random import uniform
from secrets import token_hex
from time import monotonic
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg import AsyncConnection

from healthd.database.driver_errors import limit_of, refused, translated
from healthd.database.dsn import Dsn
from healthd.database.open_connections import current
from healthd.database.passwords import LIMIT_S, password_of
from healthd.errors import ConfigError, DatabaseFailed, DatabaseUnreachable

if TYPE_CHECKING:
    from healthd.database.idle_connections import Places

# Settings that the server's output depends on, and settings that keep a round short and harmless.
SESSION: Mapping[str, str] = {
    "client_encoding": "UTF8",
    "search_path": "pg_catalog",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "xmloption": "content",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",  # a query of every round is planned once for each connection
    "join_collapse_limit": "1",  # catalog queries name their tables in a good order, and searching one takes longer
    "work_mem": "32MB",  # at ten thousand tables the server would otherwise spill its joins to disk
    "healthd.salt": token_hex(16),  # for digests of secrets, which have a meaning in this process only
}
LIMITS: Mapping[str, str] = {
    "lock_timeout": "200ms",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "15s",
}

OLDEST = 130000  # the oldest supported server version


@asynccontextmanager
async def connect(dsn: str | Dsn, *, timeout_s: float | None = None) -> AsyncIterator[AsyncConnection[Any]]:
    """Open a connection for the duration of a block; raise healthd's errors in place of the driver's.

    `dsn` is any URL or key=value string that libpq accepts. The driver prepares no statements: a prepared statement
    keeps failing after its table has changed.
    """
    dsn = Dsn.of(dsn)
    with translated(dsn):
        connection = await dial(dsn, timeout_s=timeout_s)
        try:
            yield connection
        finally:
            await connection.close()


async def dial(
    dsn: str | Dsn, *, timeout_s: float | None = None, places: Places | None = None, patient: bool = True
) -> AsyncConnection[Any]:
    """Return a connection that the caller must close; see `connect`.

    The password is what the command of the connection string prints, if it has one; if the server refuses that, the
    command is run once more. If the connection limit is reached, an idle connection among `places` is closed to make
    room. If there is none, a `patient` caller retries for most of the timeout.
    """
    dsn, asked, command_s = Dsn.of(dsn), False, LIMIT_S if timeout_s is None else PATIENCE * timeout_s
    timeout_s, opened = TIMEOUT_S if timeout_s is None else timeout_s, current()
    with translated(dsn):
        password = await printed_password(dsn, limit_s=command_s)
        until, freed_at = monotonic() + PATIENCE * timeout_s, monotonic() - ENDS_S
        while True:
            if opened.over:
                raise DatabaseUnreachable(f"cannot reach database {dsn.place}: the time of the round is over")
            try:
                connection = await AsyncConnection.connect(
                    dsn.complete(timeout_s=timeout_s, password=password), autocommit=True, prepare_threshold=None
                )
                opened.connections.append(connection)
                return connection
            except asyncio.CancelledError as error:
                clear_frames(error.__traceback__)  # they hold what the driver has opened, as long as the error lives
                raise
            except psycopg.OperationalError as error:
                clear_frames(error.__traceback__)  # also a connection that was not answered in time, and its session
                full = limit_of(error)
                if password is not None and not asked and refused(error):
                    asked, password = True, await printed_password(dsn, limit_s=command_s, again=True)
                    continue
                if not full or not patient or monotonic() > until:
                    raise
                if monotonic() - freed_at >= ENDS_S and places is not None and await places.free(dsn, full):
                    freed_at = monotonic()
                else:
                    await asyncio.sleep(uniform(0.05, 0.3))  # noqa: S311 # jitter


TIMEOUT_S = 5.0  # of a connection outside of a round
PATIENCE = 0.7  # of a timeout
ENDS_S = 0.5  # for which a server may still count a session that was closed


async def printed_password(dsn: Dsn, *, limit_s: float = LIMIT_S, again: bool = False) -> str | None:
    """Return what the command of a connection string prints, None if there is none."""
    if dsn.command is None:
        return None
    try:
        return await password_of(dsn.command, dsn.parameters, limit_s=limit_s, again=again)
    except DatabaseUnreachable as error:
        raise DatabaseUnreachable(f"cannot reach database {dsn.place}: {error}", hint=error.hint) from error


async def answer(connection: AsyncConnection[Any], statements: str) -> list[str]:
    """Return the only row that these statements return, sent as one message; translate the driver's errors."""
    async with _rolled_back(connection):
        return await _row(connection, statements)


async def answer_planned(connection: AsyncConnection[Any], query: str, settings: str) -> list[str]:
    """Return the only row of a query whose plan the server caches, in a transaction with these settings (SET LOCAL …;).

    It is for queries that are repeated on a connection, and costs two messages.
    """
    async with _rolled_back(connection):
        name = await planned(connection, query, before=f"BEGIN READ ONLY; {settings}")
        return await _row(connection, f"EXECUTE {name}; COMMIT")


async def planned(connection: AsyncConnection[Any], query: str, *, types: str = "", before: str = "") -> str:
    """Return the name under which the server caches the plan of a query; `types` are its parameters': `(text, oid)`.

    Each call checks whether the plan exists, in the same message as the statements that run `before`: behind a
    pooler, the server session may be a different one.
    """
    name = f"healthd_{md5(query.encode(), usedforsecurity=False).hexdigest()}"
    if await _row(connection, f"{before}{KEPT.format(name)}") == ["0"]:
        await connection.execute(f"PREPARE {name} {types} AS {query}".encode())
    return name


KEPT = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_statements AS p WHERE p.name = '{}'"


async def _row(connection: AsyncConnection[Any], statements: str) -> list[str]:
    cursor = await connection.execute(statements.encode())
    while cursor.description is None and cursor.nextset():
        pass
    return [str(value) for value in await cursor.fetchone() or ()]


@asynccontextmanager
async def _rolled_back(connection: AsyncConnection[Any]) -> AsyncIterator[None]:
    """Roll back a transaction that statements, or the driver, have left open; translate the driver's errors."""
    with translated():
        try:
            yield
        finally:
            if not connection.closed:
                await connection.rollback()


@asynccontextmanager
async def read_only(connection: AsyncConnection[Any], settings: Mapping[str, str]) -> AsyncIterator[None]:
    """Run a block in one REPEATABLE READ READ ONLY transaction with these settings, and leave no trace."""
    if connection.closed:
        raise DatabaseUnreachable("the connection is closed", hint="connect again")
    if (version := connection.info.server_version) < OLDEST:
        raise DatabaseFailed(
            f"PostgreSQL {version // 10000} is not supported", hint=f"use PostgreSQL {OLDEST // 10000} or newer"
        )
    if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        raise ConfigError("the connection is in a transaction", hint="commit or roll back first")
    before = connection.isolation_level, connection.read_only
    await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
    await connection.set_read_only(True)
    try:
        with translated():
            async with connection.transaction():
                assignments = ", ".join("set_config(%s, %s, true)" for _ in settings)
                values = [part for setting in settings.items() for part in setting]
                await connection.execute(f"SELECT {assignments}".encode(), values)
                yield
    finally:
        if not connection.closed:
            await connection.set_isolation_level(before[0])
            await connection.set_read_only(before[1])


async def rows_of(connection: AsyncConnection[Any], query: LiteralString, values: Any = None) -> list[Any]:
    """Return all rows of a query."""
    return await (await connection.execute(query, values)).fetchall()

"""The digests of all kinds: two numbers for each kind, which say whether its objects must be read at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from secrets import token_hex
from time import monotonic
from typing import Any

from psycopg import AsyncConnection, sql

from healthd import catalog
from healthd.catalog.digests import MODULUS, NONE, Digest, digests_query
from healthd.catalog.presence import Presence, question_columns
from healthd.catalog.table_locks import Held
from healthd.catalog.tenant_digests import SCHEMAS, Digested, TenantDigests, digested, tenant_query
from healthd.database.connection import planned
from healthd.database.snapshot.kind_reader import KindFailed, failing
from healthd.database.snapshot.second_connection import SERVER, Second, digest_rows
from healthd.database.snapshot.table_locks import LOCKED, TableLocks

STAND_IN = f"healthd_{token_hex(8)}"  # for the schema of a tenant: no text of a database contains it
Expected = Callable[[], Coroutine[Any, Any, Mapping[str, Digest]]]


async def read_digests(
    connection: AsyncConnection[Any],
    books: Sequence[str],
    owner: str | None,
    second: Second | None,
    expected: Expected,
    locks: TableLocks,
    tenants: TenantDigests | None = None,
) -> Digested:
    """Return the digests of all kinds, and which are as expected.

    If one of them fails, there are none: which kind failed is found when each is read. If one has to wait for a table
    lock, they are computed once more without the objects of that table: only the kinds of these then differ.
    """
    with suppress(KindFailed):
        try:
            return await _digests_once(connection, books, owner, second, expected, locks.held, tenants)
        except KindFailed as error:
            if error.state != LOCKED:
                raise
        await locks.look(connection)
        return await _digests_once(connection, books, owner, None, expected, locks.held, tenants)
    return Digested()


async def _digests_once(
    connection: AsyncConnection[Any],
    books: Sequence[str],
    owner: str | None,
    second: Second | None,
    expected: Expected,
    held: Held,
    tenants: TenantDigests | None,
) -> Digested:
    """Return the same as `read_digests`; raise KindFailed if one of them fails.

    They are one statement, or one on each connection, which returns two numbers for each kind; the expected ones are
    computed while the server is busy.
    """
    with failing(connection):
        async with connection.transaction(force_rollback=True):
            facts = f"SELECT ({MIGRATOR}), ({SERVER}), {question_columns()}".encode()
            ((migrator, server, *found),) = await (await connection.execute(facts, [owner])).fetchall()
            there = Presence.of(found)
            if tenants is not None:
                found = await _with_tenants(connection, books, migrator, there, await expected(), held, tenants)
                return replace(found, migrator=migrator)
            names = (name for name in asked() if name not in there.absent and not (second and name in second.kinds))
            kinds = [catalog.KINDS[name] for name in names]
            query = digests_query(kinds, connection.info.server_version, there)
            ask = _once if (second is not None and not second.kept) or held.relations else _planned_once
            asking = ask(connection, held.guarded(query), books, migrator)
            began = monotonic()
            rows, wanted = await asyncio.gather(asking, expected(), return_exceptions=True)
            if isinstance(rows, BaseException):
                raise rows
            if isinstance(wanted, BaseException):
                raise wanted
            if second is not None:
                rest = await second.digests(server, patience_s=max(2.0, 2 * (monotonic() - began)))
                if rest is None and second.waited:
                    raise KindFailed(LOCKED, "a table is locked")
                rows += rest or await digest_rows(connection, second.kinds)
    read = {name: (count, int(number or 0) % MODULUS) for name, count, number in rows}
    found = dict.fromkeys(there.absent, NONE) | read
    return Digested(migrator, found, frozenset(kind for kind, one in found.items() if wanted.get(kind) == one))


async def _with_tenants(
    connection: AsyncConnection[Any],
    books: Sequence[str],
    migrator: int | None,
    there: Presence,
    wanted: Mapping[str, Digest],
    held: Held,
    tenants: TenantDigests,
) -> Digested:
    """Return the digests of a database with tenants, computed for each of their schemas."""
    schemas = await (await connection.execute(SCHEMAS.encode())).fetchall()
    names = list(tenants.among(frozenset(name for (name,) in schemas)))
    kinds = [kind for name, kind in catalog.KINDS.items() if name not in there.absent]
    query = held.guarded(tenant_query(kinds, connection.info.server_version, there, tenants.name))
    values = {"books": list(books), "migrator": migrator, "tenants": names}
    return digested(await (await connection.execute(query.encode(), values)).fetchall(), wanted, names, tenants)


MIGRATOR = "SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = %s"


async def _once(connection: AsyncConnection[Any], query: str, books: Sequence[str], migrator: int | None) -> list[Any]:
    """Return the rows of a query on a connection that does not repeat it."""
    values = {"books": list(books), "migrator": migrator}
    return await (await connection.execute(query.encode(), values)).fetchall()


async def _planned_once(
    connection: AsyncConnection[Any], query: str, books: Sequence[str], migrator: int | None
) -> list[Any]:
    """Return the rows of a query that every round on a connection repeats: its plan, a fifth of its cost, is cached."""
    text = query.replace("%(books)s", "$1").replace("%(migrator)s", "$2").replace("%%", "%")
    name = await planned(connection, text, types="(text[], oid)")
    execute = sql.SQL("EXECUTE {} ({}, {})").format(sql.Identifier(name), list(books), migrator)
    return await (await connection.execute(execute)).fetchall()


def asked() -> tuple[str, ...]:
    """Return the kinds that have digests; the others are always read, because their values are tested."""
    return tuple(name for name, kind in catalog.KINDS.items() if not kind.always_read)


async def absent_kinds(connection: AsyncConnection[Any]) -> frozenset[str]:
    """Return the kinds of which the database has no object; none if the server rejects the query."""
    try:
        with failing(connection):
            async with connection.transaction(force_rollback=True):
                facts = f"SELECT {question_columns()}".encode()
                ((*found,),) = await (await connection.execute(facts)).fetchall()
    except KindFailed:
        return frozenset()
    return Presence.of(found).absent

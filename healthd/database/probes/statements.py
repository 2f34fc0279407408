"""Whether the server accepts the statements of contracts: each is parsed and analysed, none is run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import AsyncConnection, errors, generators, pq

from healthd.contracts.statements import place, refused
from healthd.database.connection import LIMITS, read_only
from healthd.model.contracts import Contract, Statement
from healthd.model.observations import Prepared

LOCKED = "55P03"


async def prepare_statements(connection: AsyncConnection[Any], contracts: Iterable[Contract]) -> tuple[Prepared, ...]:
    """Return the server's verdict on each statement of these contracts, in a read-only transaction for each contract.

    A statement is sent alone, in a Parse message of the protocol, without a name: nothing is executed, nothing is
    left behind, a second statement after a semicolon is rejected, and no privilege on a table is needed.
    """
    found: list[Prepared] = []
    for contract in contracts:
        if contract.statements:
            settings = {**LIMITS, **({"search_path": contract.search_path} if contract.search_path else {})}
            async with read_only(connection, settings):
                for name, statement in contract.statements.items():
                    found.append(await _prepared(connection, contract.name, name, statement))
                    if found[-1].sqlstate == LOCKED:  # several statements may need one table: wait once for it
                        await connection.execute(b"SET LOCAL lock_timeout TO '20ms'")
    return tuple(found)


async def _prepared(connection: AsyncConnection[Any], contract: str, name: str, statement: Statement) -> Prepared:
    if (reason := refused(statement.sql)) is not None:
        return Prepared(contract, name, reason)
    if "\0" in statement.sql:
        return Prepared(contract, name, "it contains a zero byte")
    try:
        async with connection.transaction(force_rollback=True):  # releases the locks that it took
            wanted = await _parse(connection, statement.sql)
    except psycopg.Error as error:
        if connection.closed or error.sqlstate is None:
            raise
        diag = error.diag
        position = int(diag.statement_position or 0)
        where = place(statement.sql, position) if position else (None, None)
        words = diag.message_primary or "rejected"
        return Prepared(contract, name, words, error.sqlstate, *where)
    if statement.parameters not in (None, wanted):
        words = f"the application sends {statement.parameters} values, but the statement expects {wanted}"
        return Prepared(contract, name, words, parameters=wanted)
    return Prepared(contract, name, parameters=wanted)


async def _parse(connection: AsyncConnection[Any], text: str) -> int:
    """Have the server analyse a statement, and return how many parameters it takes."""
    pgconn, encoding = connection.pgconn, connection.info.encoding
    parameters = 0
    for described in (False, True):
        async with connection.lock:
            if described:
                pgconn.send_describe_prepared(b"")
            else:
                pgconn.send_prepare(b"", text.encode(encoding))
            (result,) = await connection.wait(generators.execute(pgconn))
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise errors.error_from_result(result, encoding)
        parameters = result.nparams
    return parameters

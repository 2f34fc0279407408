"""What a snapshot does not contain: how far sequences have counted, and the libraries that sort text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, errors

from healthd.catalog.scope import SHARED
from healthd.database.connection import LIMITS, SESSION, read_only
from healthd.database.probes import collations, sequences
from healthd.model.ledger import BOOKS
from healthd.model.observations import Counter, SortedBy


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a snapshot does not contain, because it changes without DDL; None if it could not be read.

    `counters` are the sequences that have counted far, or that healthd may not read.
    """

    counters: tuple[Counter, ...] | None = ()
    sorted_by: tuple[SortedBy, ...] | None = ()


async def read_vitals(connection: AsyncConnection[Any]) -> Vitals:
    """Return how far sequences have counted, and which sort orders have changed, in a transaction of its own."""
    async with read_only(connection, {**SESSION, **LIMITS}):
        return Vitals(
            await _vitals(connection, sequences.QUERY, sequences.counter),
            await _vitals(connection, collations.query(connection.info.server_version), collations.sorted_by),
        )


async def _vitals(
    connection: AsyncConnection[Any], statement: str, record: Callable[..., Any]
) -> tuple[Any, ...] | None:
    """Return a record for each row; None if the server rejects the query, which leaves the round unaffected."""
    try:
        async with connection.transaction():
            whole = f"{SHARED} {statement}".encode()
            rows = await (await connection.execute(whole, {"books": list(BOOKS)})).fetchall()
    except (errors.InternalError, errors.LockNotAvailable, errors.NotSupportedError, errors.ProgrammingError):
        if connection.closed:
            raise
        return None
    return tuple(record(*row) for row in rows)

"""Reads a database for one round, and decides whether a second connection saves time."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from types import TracebackType
from typing import Any, Self

from psycopg import AsyncConnection

from healthd.database.dsn import Dsn
from healthd.database.probes.vitals import Vitals, read_vitals
from healthd.database.snapshot import reading
from healthd.database.snapshot.budget import Budget
from healthd.database.snapshot.second_connection import Second
from healthd.database.snapshot.stability import unchanged
from healthd.database.snapshot.table_locks import TableLocks
from healthd.database.snapshot.transaction import Digests, OfTenants, Reading, Texts
from healthd.model.names import Key

LONG_S = 0.5  # after a longer reading, the next one uses two connections; such a reading counts twice


class Reader:
    """What reads a database on the connection of a round; the caller closes that connection, but not the second one.

    The second connection is opened at once if the round is `alone` (no other round will use what a server caches for a
    connection), or if the last full reading took long. The first one may be `kept` from round to round.
    All readings together keep to a `budget`. A database that has `drifted` had differences in the last round.
    With `more`, what is read once on each connection is read on the second one: the types of columns, and the vitals.
    """

    def __init__(
        self,
        connection: AsyncConnection[Any],
        dsn: str | Dsn,
        *,
        timeout_s: float,
        alone: bool = False,
        last_s: float = 0.0,
        kept: bool = False,
        more: bool = False,
        drifted: bool = False,
        budget: Budget | None = None,
    ) -> None:
        self.connection = connection
        self.reading_s = last_s  # how long a full reading takes on one connection, as of the last one
        self._second = Second(dsn, timeout_s, more=more, kept=kept) if alone or last_s > LONG_S else None
        self._drifted = drifted
        self._locks = TableLocks(budget=budget)
        self._sharing = self._second  # it belongs to the first reading, not to the next one

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        if self._second is not None:
            await self._second.close()

    async def read(
        self, *, digests: Digests, texts: Texts, last: Reading | None = None, tenants: OfTenants | None = None
    ) -> Reading:
        """Return the objects, the ledger and the migration lock; see `reading.read`.

        The `last` reading of the same round is returned if another one would be the same.
        """
        if last is not None and last.snapshot.readable and await unchanged(self.connection, last.mark):
            return last
        sharing, self._sharing = self._sharing, None
        began = monotonic()
        found = await reading.read(
            self.connection,
            digests=digests,
            second=sharing,
            texts=texts,
            locks=self._locks,
            drifted=self._drifted,
            tenants=tenants,
        )
        self.reading_s = (monotonic() - began) * (1 if sharing is None else 2)
        if sharing is not None and sharing.kept:
            await sharing.close()
        return found

    async def column_types(self, found: Reading) -> Mapping[Key, str] | None:
        """Return the types of the columns if they were read along with this reading, else None."""
        return await self._second.types() if self._second is not None and found.as_expected else None

    async def vitals(self) -> Vitals:
        """Return the vitals, which change slowly."""
        found = await self._second.vitals() if self._second is not None else None
        return found or await read_vitals(self.connection)

"""What the readings of one round share: what they know of locked tables, and their time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import psycopg
from psycopg import AsyncConnection

from healthd.catalog.table_locks import QUERY, Held
from healthd.database.connection import rows_of
from healthd.database.driver_errors import is_final
from healthd.database.snapshot.budget import LEAST_MS, Budget

LOCKED = "55P03"
MARK = f"locked {token_hex(16)}"
SHORT_MS = 20  # how long a reading waits for a lock after the first time


@dataclass(slots=True)
class TableLocks:
    """The locks that are `held`, as of the last look; before a reading had to wait for one, nobody looks.

    A lock that is released within the usual timeout prevents nothing; after that, no reading waits so long again.
    """

    waited: bool = False
    budget: Budget | None = None  # how long they may take
    held: Held = field(default_factory=Held)

    @property
    def limits(self) -> Mapping[str, str]:
        """Return the settings for a transaction in addition to the usual ones."""
        limits = {"lock_timeout": f"{SHORT_MS}ms"} if self.waited else {}
        if self.budget is not None and self.budget.tight:
            limits["statement_timeout"] = f"{max(LEAST_MS, self.budget.left_ms)}ms"
        return limits

    async def hurry(self, connection: AsyncConnection[Any]) -> None:
        """Have the rest of a transaction, or of a subtransaction, keep to the present limits."""
        if limits := self.limits:
            settings = "; ".join(f"SET LOCAL {name} TO '{value}'" for name, value in limits.items())
            await connection.execute(settings.encode())

    async def look(self, connection: AsyncConnection[Any]) -> None:
        """Ask which relations are locked, in the current transaction, after a reading had to wait for one."""
        self.waited = True
        try:
            async with connection.transaction():
                await self.hurry(connection)
                self.held = Held.of(await rows_of(connection, QUERY), MARK)
        except psycopg.Error as error:
            if is_final(connection, error):
                raise
            self.held = Held()  # a role may lack the privilege: then a kind with a locked object is unreadable

"""Whether the database is what this application was built for: its contract, held against what is there."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from sqlalchemy.ext.asyncio import AsyncEngine

from healthd import Contract, Finding, Severity
from healthd.rounds.readiness import violations

FRESH_S = 5.0  # a probe asks every few seconds, of each of many copies of an application


class NotReady(Exception):
    """The database lacks what the application needs of it."""

    def __init__(self, found: Sequence[Finding]) -> None:
        super().__init__(found[0].message)
        self.found = tuple(found)

    @property
    def unseen(self) -> bool:
        """Return whether it may be right, and only could not be seen."""
        return all(finding.severity is Severity.UNKNOWN for finding in self.found)


class Readiness:
    """What the contract says, asked at most once in `fresh_s`; that the database answers is asked every time."""

    def __init__(self, engine: AsyncEngine, contract: Contract, *, fresh_s: float = FRESH_S) -> None:
        self.engine, self.contract, self.fresh_s = engine, contract, fresh_s
        self.asked_at, self.found = float("-inf"), tuple[Finding, ...]()
        self.asking = asyncio.Lock()

    async def prove(self) -> None:
        """Return when all is well; raise NotReady, or what the driver says when the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
            await connection.rollback()
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            async with self.asking:
                if monotonic() - self.asked_at >= self.fresh_s:
                    contract = replace(self.contract, role=driver.info.user)
                    self.found, self.asked_at = await violations(driver, contract), monotonic()
        if self.found:
            raise NotReady(self.found)

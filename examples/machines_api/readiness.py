"""Whether the database meets the contract of this application."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from sqlalchemy.ext.asyncio import AsyncEngine

from healthd import Contract, Finding, Severity, violations

FRESH_S = 5.0  # probes come every few seconds, for each of many instances of an application


class NotReady(Exception):
    """The database does not meet the contract of the application."""

    def __init__(self, found: Sequence[Finding]) -> None:
        super().__init__(found[0].message)
        self.found = tuple(found)

    @property
    def unseen(self) -> bool:
        """Return whether the contract could not be checked, and may be met."""
        return all(finding.severity is Severity.UNKNOWN for finding in self.found)


class Readiness:
    """The readiness check: the contract is checked at most once in `fresh_s`, the connection every time."""

    def __init__(self, engine: AsyncEngine, contract: Contract, *, fresh_s: float = FRESH_S) -> None:
        self.engine, self.contract, self.fresh_s = engine, contract, fresh_s
        self.asked_at, self.found = float("-inf"), tuple[Finding, ...]()
        self.asking = asyncio.Lock()

    async def prove(self) -> None:
        """Return if the application is ready; raise NotReady, or the driver's error if the database does not answer."""
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

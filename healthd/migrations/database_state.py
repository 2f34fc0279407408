"""The state of one database before or after a run: read, judged, and confirmed by a second reading."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from healthd.background import Later
from healthd.comparison.waived import in_words
from healthd.config.settings import Target
from healthd.database.held_connection import Where, lent
from healthd.database.snapshot.reader import Reader
from healthd.database.snapshot.transaction import Reading
from healthd.errors import HealthdError
from healthd.expected.store import Files, expected_digests, of_another_major
from healthd.model.findings import Finding, Verdict
from healthd.model.severity import Severity
from healthd.rounds.complete_reading import AGAIN_S
from healthd.rounds.conclusion import confirmed
from healthd.rounds.follow_up import conclude_closely
from healthd.rounds.observation import Observation
from healthd.rounds.running import running_of
from healthd.rounds.sides import digests_of_tenants

if TYPE_CHECKING:
    from healthd.model.findings import Verdict


ELSEWHERE = frozenset({"migrations", "contracts", "waivers", "tenants"})  # the findings of these checks are not drift


@dataclass(frozen=True, slots=True)
class Look:
    """One database at one instant, and its report; `found` is what does not match the lock file."""

    reading: Reading
    verdict: Verdict

    @property
    def found(self) -> tuple[Finding, ...]:
        """Return what differs, and what could not be compared."""
        return tuple(one for one in self.verdict.findings if one.check not in ELSEWHERE)

    @property
    def drift(self) -> tuple[Finding, ...]:
        """Return what differs in a way that can break or expose the application."""
        return drift_of(self.found)

    @property
    def waived(self) -> tuple[str, ...]:
        """Return what differs and was accepted, in words."""
        return tuple(in_words(one) for one in self.verdict.waived)

    @property
    def unclear(self) -> tuple[Finding, ...]:
        """Return what could not be compared."""
        return tuple(one for one in self.verdict.findings if one.severity is Severity.UNKNOWN)


def drift_of(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings that can break or expose the application."""
    return tuple(one for one in findings if one.severity is Severity.CRITICAL)


async def look(target: Target, files: Files, where: Where | None = None) -> Look:
    """Return the state of a database; if it differs, it is read a second time, and only confirmed findings count.

    Kinds whose digest is as expected are not read.
    """
    return await _twice(target, Later.made(files), target.dsn if where is None else where, alone=False)


async def look_alone(target: Target, files: Later[Files]) -> Look:
    """Return the state of a database for a caller that only looks: it uses a second connection.

    Files that are still being read are awaited after the server has answered.
    """
    return await _twice(target, files, target.dsn, alone=True)


async def _twice(target: Target, files: Later[Files], where: Where, *, alone: bool) -> Look:
    try:
        async with lent(where) as connection:
            shared = alone and target.tenants is None
            async with Reader(connection, target.dsn, timeout_s=target.deadline_s, alone=shared) as reader:
                once = await _look(reader, target, files, alone=alone)
            if not once.found and not once.unclear:
                return once
            await asyncio.sleep(AGAIN_S)
            again = await _look(reader, target, files, alone=alone)
    except HealthdError:
        await files.ready()  # errors in the files are raised first: they are the same for every database
        raise
    return replace(again, verdict=confirmed(once.verdict, again.verdict))


async def _look(reader: Reader, target: Target, files: Later[Files], *, alone: bool) -> Look:
    connection = reader.connection
    version = connection.info.server_version
    wanted, tenants = expected_digests(files, version), digests_of_tenants(files, version, target)
    texts = of_another_major(files, version)
    reading = await reader.read(digests=wanted, texts=texts, tenants=tenants)
    reading.ledger.readable()
    running = await running_of(connection, reading.runner, reading.ledger) if alone else None
    observation = Observation(reading, running=running)
    return Look(*await conclude_closely(connection, target, await files.ready(), observation))

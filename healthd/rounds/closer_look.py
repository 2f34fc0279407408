"""What a verdict leaves open and the database can answer: it is asked, and concluded once more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from healthd.config.settings import Target
from healthd.database.finding_details import look_closer
from healthd.database.snapshot.transaction import Reading
from healthd.expected.store import Files
from healthd.model.findings import Verdict
from healthd.rounds.conclusion import conclude
from healthd.rounds.observation import Observation


async def conclude_closely(
    connection: Any, target: Target, files: Files, observation: Observation
) -> tuple[Reading, Verdict]:
    """Return the verdict on an observation, with the details that its findings ask for, and the reading that has them.

    Which columns were made when, which versions of an extension there are: read only where a finding is about it.
    """
    verdict = conclude(target, files, observation)
    more = await look_closer(connection, observation.reading, verdict)
    if more is observation.reading:
        return more, verdict
    return more, conclude(target, files, replace(observation, reading=more))

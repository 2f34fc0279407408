"""What a verdict leaves open and the database can answer: it is asked, and concluded once more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from healthd.config.settings import Target
from healthd.database.finding_details import look_closer, measure
from healthd.database.snapshot.transaction import Reading
from healthd.expected.store import Files
from healthd.model.findings import Verdict
from healthd.rounds.conclusion import Judged, judge
from healthd.rounds.observation import Observation
from healthd.rounds.repair_script import Made


async def conclude_closely(
    connection: Any, target: Target, files: Files, observation: Observation
) -> tuple[Reading, Verdict]:
    """Return the verdict on an observation, with the details that it depends on, and the reading that has them."""
    judged = await judge_closely(connection, target, files, observation)
    reading, made = await make_closely(connection, judged)
    return reading, judged.verdict(made.script if made is not None else (), reading.rights)


async def judge_closely(connection: Any, target: Target, files: Files, observation: Observation) -> Judged:
    """Return a judgement with the details that its findings ask for.

    Which columns were made when, which versions of an extension there are: read only where a finding is about it.
    """
    judged = judge(target, files, observation)
    settled = judged.settled
    findings = (*settled.findings, *(one.finding for one in settled.waived))  # details may make it another finding
    more = await look_closer(connection, observation.reading, findings)
    return judged if more is observation.reading else judge(target, files, replace(observation, reading=more))


async def make_closely(
    connection: Any, judged: Judged, last: Made | None = None, *, bounded: bool = False
) -> tuple[Reading, Made | None]:
    """Return the script of a judgement for the rows and sizes of the tables, and the reading that has these.

    The `last` script is used again if it repairs the same; there is none if there is nothing to repair. A `bounded`
    one is not made for thousands of differences.
    """
    reading = judged.observation.reading
    if (made := judged.made(last, bounded=bounded)) is None:
        return reading, None
    reading = await measure(connection, reading, made.script)
    return reading, made.knowing(reading.rows, reading.sizes)

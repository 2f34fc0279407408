"""What every round asks a database next to its reading, whether that is of everything or of what has changed."""

from __future__ import annotations

from typing import Any

from healthd.config.settings import Target
from healthd.database.probes.round_trips import probe_access
from healthd.database.probes.row_samples import Samples
from healthd.database.probes.statements import prepare_statements
from healthd.database.probes.vitals import Vitals
from healthd.database.snapshot.transaction import Reading
from healthd.model.observations import RoundTrip
from healthd.rounds.observation import Observation
from healthd.rounds.running import running_of
from healthd.rounds.session import Sampled, sample
from healthd.rounds.timing import ACCESS, STATEMENTS, question


async def observe(
    connection: Any,
    target: Target,
    reading: Reading,
    trips: tuple[RoundTrip, ...],
    vitals: Vitals,
    sampled: Sampled | None,
) -> tuple[Observation, Sampled | None]:
    """Return a reading with the answers to all other questions, and the samples of rows for the next round.

    `trips` and `vitals` are asked once on a connection, and given; `sampled` are the last samples.
    """
    with question(ACCESS):
        access = await probe_access(connection, target.contracts)
    with question(STATEMENTS):
        prepared = await prepare_statements(connection, target.contracts)
    sampled = await sample(target, connection, sampled, reading)
    samples = sampled.samples if sampled is not None else Samples()
    running = await running_of(connection, reading.runner, reading.ledger)
    return Observation(reading, trips, access, prepared, vitals, samples, running), sampled

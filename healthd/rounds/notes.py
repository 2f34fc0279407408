"""The notes of a verdict: information that is no finding, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.config.settings import Target
from healthd.database.probes.row_samples import Samples
from healthd.database.probes.vitals import Vitals
from healthd.model.names import quote
from healthd.model.snapshots import Snapshot
from healthd.rounds.observation import Observation
from healthd.text import some


def on_partitions(target: Target, expected: Snapshot) -> Iterator[str]:
    """Yield a note for each rule about partitions that applies to no table."""
    for key, word in target.partitions.items():
        if getattr(expected.objects.get(key), "partitioned_by", None) is None:
            yield f"partitions = {key.sql}: {word} (yoyo.ini), but sql/ defines no partitioned table with this name"


def unseen(observation: Observation) -> dict[str, str]:
    """Return, for each check that could not read everything it judges, a note that states the reason."""
    ledger = observation.reading.ledger
    return {**_unseen(observation.vitals, ledger.reader), **_unsampled(observation.samples)}


def _unseen(vitals: Vitals, reader: str | None) -> dict[str, str]:
    notes = {}
    if vitals.counters is None:
        notes["sequences"] = "the values of the sequences could not be read"
    elif hidden := [one.key for one in vitals.counters if not one.readable]:
        schemas = ", ".join(sorted({quote(one.path[0]) for one in hidden}))
        role = quote(reader) if reader else "healthd"
        notes["sequences"] = (
            f"healthd lacks the privilege to read the value{'s' * (len(hidden) > 1)} of "
            f"{some([one.sql for one in hidden])}: "
            f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schemas} TO {role}; in a migration"
        )
    if vitals.sorted_by is None:
        notes["collations"] = "the versions of the collations could not be read"
    return notes


WHY = {
    "policy": "row security hides rows from healthd",
    "lock": "it is locked",
    "time": "the time limit was reached",
}


def _unsampled(samples: Samples) -> dict[str, str]:
    """Return a note about the tables whose rows could not be sampled; a missing privilege is a finding."""
    reported = [
        f"{one.key.sql} ({WHY.get(one.why, f'error {one.why}')})" for one in samples.unsampled if one.why != "denied"
    ]
    return {"serialization": f"no rows were sampled from {some(reported)}"} if reported else {}

"""All that one round read from a database, before anything is concluded."""

from dataclasses import dataclass, field

from healthd.database.probes.row_samples import Samples
from healthd.database.probes.vitals import Vitals
from healthd.database.snapshot.transaction import Reading
from healthd.model.observations import Access, Prepared, RoundTrip


@dataclass(frozen=True, slots=True)
class Observation:
    """A new question to a database is one probe and one field here; nothing else carries answers to `conclude`."""

    reading: Reading  # the objects, the ledger and the migration lock, as one transaction saw them
    round_trips: tuple[RoundTrip, ...] = ()  # what became of values that were sent
    access: tuple[Access, ...] = ()  # the privileges that contracts need
    prepared: tuple[Prepared, ...] = ()  # what the server says of the contracts' statements
    vitals: Vitals = field(default_factory=Vitals)  # sequences, and the libraries that sort text
    samples: Samples = field(default_factory=Samples)  # rows that were looked at

"""Everything that one round reads from a database, before anything is concluded."""

from dataclasses import dataclass, field

from healthd.database.probes.row_samples import Samples
from healthd.database.probes.vitals import Vitals
from healthd.database.snapshot.transaction import Reading
from healthd.model.observations import Access, Prepared, RoundTrip
from healthd.model.running import RunningMigration


@dataclass(frozen=True, slots=True)
class Observation:
    """A new query on a database is one probe and one field here; nothing else passes results to `conclude`."""

    reading: Reading  # the objects, the ledger and the migration lock, as one transaction saw them
    round_trips: tuple[RoundTrip, ...] = ()  # the results of sending values
    access: tuple[Access, ...] = ()  # the privileges that contracts require
    prepared: tuple[Prepared, ...] = ()  # the server's verdict on the contracts' statements
    vitals: Vitals = field(default_factory=Vitals)  # sequences, and the versions of collations
    samples: Samples = field(default_factory=Samples)  # sampled rows
    running: RunningMigration | None = field(default=None, compare=False)  # only shown: it decides nothing

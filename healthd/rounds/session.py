"""What rounds share: a connection, and what was found on it that need not be read in every round."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import randrange
from time import monotonic
from typing import Any

from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.notifications import Notifications, listen
from healthd.database.probes.round_trips import probe_values
from healthd.database.probes.row_samples import Samples, sample_rows
from healthd.database.probes.vitals import Vitals
from healthd.database.snapshot.catalog_image import Image
from healthd.database.snapshot.change_token import Mark
from healthd.database.snapshot.image_reader import ImageReader
from healthd.database.snapshot.reader import Reader
from healthd.database.snapshot.transaction import Reading
from healthd.model.observations import RoundTrip
from healthd.rounds.repair_script import Made
from healthd.rounds.timing import ROWS, VALUES, question

ANEW_S = 600.0  # even an unchanged database is read in full, on a new connection, after this time
SAMPLE_S = 0.9 * ANEW_S  # rows are sampled once on each of these connections, whatever else happens
SHARE = 0.25  # of a round's deadline that sampling rows may take


@dataclass(frozen=True, slots=True)
class Tried:
    """The results of sending values, and what they depend on: the types, the enums, the settings of new sessions."""

    of: tuple[Any, ...]
    trips: tuple[RoundTrip, ...]


@dataclass(frozen=True, slots=True)
class Sampled:
    """The result of sampling rows, its time (monotonic seconds), and the columns at that time."""

    of: Any
    at: float
    samples: Samples


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of a database at a mark: its catalogs, what differs from the expected objects, and the ledger."""

    reader: ImageReader
    image: Image
    reading: Reading  # with the ledger, the settings and the deviations, but without objects
    types: frozenset[str]  # of columns, that values were sent of


@dataclass(frozen=True, slots=True)
class Session:
    """A connection that rounds share, its start (monotonic seconds), and what was read on it.

    Without a mark everything must be read again; the last full reading took `reading_s`. The connection is None if it
    was not kept between rounds: the next round opens another one, and what was read is as old as it was.
    Where the database is `watched`, which the last full reading saw, a connection that is kept has notifications, and
    the state at the mark is `remembered`, so that only changes need be read.
    """

    connection: Any
    dialed_at: float
    mark: Mark | None = None
    reading_s: float = 0.0
    tried: Tried | None = None
    vitals: Vitals | None = None  # what changes slowly and is not in a snapshot: read once on each connection
    sampled: Sampled | None = None  # kept when the connection is replaced
    made: Made | None = None  # the script of the last round with findings, kept as well
    watched: bool = False
    notifications: Notifications | None = None
    reader: ImageReader | None = None
    remembered: Remembered | None = None
    partial_since: float | None = None  # when rounds began to read only what had changed, in monotonic seconds

    @property
    def is_closed(self) -> bool:
        """Return whether there is no connection any more."""
        return self.connection is None or bool(self.connection.closed)

    def on(self, connection: Any, notifications: Notifications | None, *, kept: bool) -> Session:
        """Return the session on another connection, which is kept between rounds or only used for one.

        On the latter, plans are of no use, and values are sent again: it has the present settings.
        """
        mark = replace(self.mark, planned=kept) if self.mark is not None else None
        tried = self.tried if kept else None
        return replace(
            self,
            connection=connection,
            mark=mark,
            tried=tried,
            notifications=notifications,
            reader=None,
            remembered=None,
        )

    async def listening(self) -> Session:
        """Return the session with a connection that listens, if the reading has just shown that this is of use."""
        if not self.watched or self.notifications is not None:
            return self
        return replace(self, notifications=await listen(self.connection, missed=True))


async def try_values(target: Target, tried: Tried | None, reading: Reading, reader: Reader) -> Tried:
    """Send values in a session with the current settings, unless nothing that they depend on has changed."""
    enums = tuple((key, one) for key, one in reading.snapshot.objects.items() if key.kind == "enum")
    columns = reading.digests.get("column")
    of = (reading.settings, columns, enums)
    if tried is None:
        with question(VALUES):
            types = await reader.column_types(reading)
            return Tried(of, await probe_values(reader.connection, reading.snapshot, types))
    if columns is not None and tried.of == of:
        return tried
    with question(VALUES):
        async with connect(target.dsn, timeout_s=target.deadline_s) as new:
            return Tried(of, await probe_values(new, reading.snapshot))


async def sample(target: Target, connection: Any, sampled: Sampled | None, reading: Reading) -> Sampled | None:
    """Sample rows if configured: from time to time, and after columns changed; never during a migration."""
    if not target.sample_rows or not any(contract.models for contract in target.contracts):
        return None
    of = reading.digests.get("column", sampled.of if sampled is not None else None)
    same = sampled is not None and sampled.of == of and monotonic() - sampled.at < SAMPLE_S
    if same or reading.maintenance:
        return sampled
    last = sampled.samples if sampled is not None else Samples(draw=randrange(2**16))  # noqa: S311 # no secret
    with question(ROWS):
        samples = await sample_rows(
            connection, target.contracts, rows=target.sample_rows, budget_s=SHARE * target.deadline_s, last=last
        )
    return Sampled(of, monotonic(), samples)

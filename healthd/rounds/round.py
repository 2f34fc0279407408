"""A round that has ended: its report, what it was concluded from, and what the next round can reuse."""

from __future__ import annotations

from dataclasses import dataclass

from healthd.database.snapshot.transaction import Reading
from healthd.expected.store import Files
from healthd.model.findings import Report, Verdict
from healthd.model.snapshots import Snapshot
from healthd.model.tenants import TenantRule
from healthd.rounds.conclusion import Judged
from healthd.rounds.session import Session
from healthd.rounds.sides import sides


@dataclass(frozen=True, slots=True)
class Round:
    """A report, what it was concluded from, and what the next round can reuse."""

    report: Report
    files: Files | None
    session: Session | None = None
    reading: Reading | None = None  # only if the report has a script
    stretch: float = 1.0  # the next round may take so many times deadline_s
    tenants: TenantRule | None = None
    late: tuple[str, ...] = ()  # the kinds for which it had no time: the next round begins with them
    owed: Judged | None = None  # the next round adds the script to its verdict
    contradicted: tuple[str, ...] = ()  # what the last rounds, which read only changes, reported otherwise

    def sides(self) -> tuple[Snapshot, Snapshot]:
        """Return the expected and the actual objects that the script of the report was made from."""
        assert self.files is not None, "only a report with a script has sides"
        assert self.reading is not None, "only a report with a script has sides"
        return sides(self.files, self.reading, self.tenants)

    async def close(self) -> None:
        """Close the connection; a second time does nothing."""
        if self.session is not None and self.session.connection is not None:
            await self.session.connection.close()


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of looking at a database, before it is a report."""

    verdict: Verdict
    files: Files
    session: Session
    reading: Reading | None = None
    late: tuple[str, ...] = ()  # the kinds that were not read because the time was up
    whole: bool = False  # everything else was read
    owed: Judged | None = None
    contradicted: tuple[str, ...] = ()

    @property
    def is_late(self) -> bool:
        """Return whether there was too little time."""
        return bool(self.late)


@dataclass(frozen=True, slots=True)
class Failed:
    """The report of a round that could not examine its target, and whether a longer one could have."""

    report: Report
    is_late: bool = False

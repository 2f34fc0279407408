"""What is concluded from a database: problems, findings, the evidence for them, and the report of a round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from hashlib import sha256
from typing import Any

from healthd.model.attributes import Record
from healthd.model.contracts import Contract
from healthd.model.kinds import Kind
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.observations import Access, Asked, Counter, Listed, Prepared, RoundTrip, Sample, SortedBy, Unsampled
from healthd.model.running import RunningMigration
from healthd.model.scripts import Script
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference, Snapshot, TableLock
from healthd.model.tenants import TenantCount, Tenants
from healthd.model.waivers import Waiver, WaiverState


@dataclass(frozen=True, slots=True)
class Problem:
    """A class of findings: its stable name, its HTTP status, and its section in the runbook.

    `meaning`, `impact`, `diagnosis` and `mitigation` are Markdown, the parts of a section of docs/runbook.md.
    """

    name: str
    status: int
    severity: Severity
    title: str
    meaning: str
    impact: str
    diagnosis: str
    mitigation: str


MISSING, NOTHING = "missing", "nothing"  # the actual side of a missing object, the expected side of an unexpected one


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `facts` are the additional members of its HTTP response, by name."""

    problem: str
    key: Key
    message: str
    severity: Severity
    expected: str | None = None
    actual: str | None = None
    attribute: str | None = None
    repair: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    check: str = ""
    count: int = 1  # of those that it stands for


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding that a waiver covers: it is shown, and counts for nothing."""

    finding: Finding
    waiver: Waiver


Identity = tuple[str, Key, str | None]


def identity(finding: Finding) -> Identity:
    """Return what identifies a finding from round to round."""
    return finding.problem, finding.key, finding.attribute


def finding_id(one: Identity) -> str:
    """Return what an address names a finding by: the same in every round, release and process."""
    problem, key, attribute = one
    return sha256("\0".join((problem, str(key), attribute or "")).encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that one round learned about one target: the input of the checks.

    `differences` omits what follows from another difference: a missing table is one difference, not one for each
    column. `printed` are the texts of `expected` that are known as the actual server prints them, each with the
    migration that it was recorded with; `texts_grant` is the SQL that would let healthd read more of them.
    `unlocked` are the applied migrations that the lock file does not contain: without them the expected
    snapshot is not known either. `aligned` are the actual objects, under their expected names where some were
    renamed. `locked` are those that could not be read, under their expected names as well. `lenient` are differences
    that are a warning at most, and make an object unexpected. `waivers` are known only to the check that judges them,
    which comes after all others.
    """

    target: str
    expected: Snapshot
    actual: Snapshot
    differences: tuple[Difference, ...]
    contracts: tuple[Contract, ...] = ()
    migrations: tuple[MigrationState, ...] = ()
    unlocked: tuple[str, ...] = ()
    round_trips: tuple[RoundTrip, ...] = ()
    samples: tuple[Sample, ...] = ()
    unsampled: tuple[Unsampled, ...] = ()
    access: tuple[Access, ...] = ()
    prepared: tuple[Prepared, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    aligned: Mapping[Key, Record] = field(default_factory=dict)
    consequences: Mapping[tuple[Key, str | None], tuple[Difference, ...]] = field(default_factory=dict)
    inside: frozenset[tuple[Key, str | None]] = frozenset()
    lenient: frozenset[tuple[Key, str | None]] = frozenset()
    counters: tuple[Counter, ...] = ()
    sorted_by: tuple[SortedBy, ...] = ()
    asked: tuple[Asked, ...] = ()
    listed: tuple[Listed, ...] = ()
    printed: Mapping[tuple[Key, str | None], str] = field(default_factory=dict)
    texts_grant: str | None = None
    waivers: tuple[WaiverState, ...] = ()
    locked: Mapping[Key, TableLock] = field(default_factory=dict)
    tenants: Tenants | None = None  # if the target has schemas of tenants


Check = Callable[[Evidence], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was concluded from one observation of a target."""

    findings: tuple[Finding, ...]
    checks: Mapping[str, Severity] = field(default_factory=dict)  # by check the worst severity; UNKNOWN: cannot tell
    migrations: tuple[MigrationState, ...] = ()
    notes: tuple[str, ...] = ()
    maintenance: str | None = None  # the migration that is running, in words
    running: RunningMigration | None = None  # and what is known of it
    server_version: int | None = None  # as the server counts: 180004
    unreported: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # differences without a finding, by reason
    script: Script = ()  # the repair of all differences, in order
    script_notes: tuple[str, ...] = ()  # what a reader must know before it can run
    script_follows: bool = False  # the next verdict, a moment later, has the script
    waived: tuple[Waived, ...] = ()  # findings that waivers cover; `findings` does not contain them
    not_adopted: Finding | None = None  # for a database that is not empty and has no ledger
    tenants: TenantCount | None = None  # if the target has schemas of tenants

    @property
    def severity(self) -> Severity:
        """Return the worst severity: UNKNOWN outranks CRITICAL."""
        return max((finding.severity for finding in self.findings), default=Severity.OK)

    @property
    def has_ledger(self) -> bool:
        """Return whether a ledger was seen that has recorded something."""
        return any(one.state not in (State.PENDING, State.OUT_OF_ORDER) for one in self.migrations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Verdict):
    """The result of one round: a verdict on a target, and when it was reached."""

    target: str
    started_at: datetime
    duration_s: float
    next_round_s: float = 0.0  # after this one
    failure: str | None = None  # why the round could not be made (unreachable, denied, timeout, error)
    asked: Asked | None = None  # in the round of an endpoint
    listed: Listed | None = None  # in the round of a group
    questions: tuple[tuple[str, float], ...] = ()  # to the server, in their order, with the seconds that each took
    database: str = ""  # the name of the database and its host, without user and password; empty for an endpoint
    lock_digest: str = ""  # of the lock file that it was compared with; empty if that has none

    @classmethod
    def of(cls, verdict: Verdict, target: str, started_at: datetime, duration_s: float) -> Report:
        """Return the report of a verdict."""
        known = {each.name: getattr(verdict, each.name) for each in fields(Verdict)}
        return cls(**known, target=target, started_at=started_at, duration_s=duration_s)

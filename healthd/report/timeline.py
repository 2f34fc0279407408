"""What the rounds of a target saw happen: its states, its findings and its migrations; bounded, the newest last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from healthd.model.findings import Finding, Identity, finding_id, identity
from healthd.model.ledger import MigrationState, State
from healthd.model.severity import Severity

MOST_OF_TARGET = 200
MOST = 50_000  # of all targets together; each has the same share
LEAST = 20  # of a target, however many there are
MOST_OF_ROUND = 20  # of one kind; the others of the round are counted in one event
NAME = 200  # characters

STATE, RESTARTED, APPEARED, RESOLVED, WAIVED, APPLIED, ROLLED_BACK = (
    "state",
    "restarted",
    "appeared",
    "resolved",
    "waived",
    "applied",
    "rolled_back",
)
KINDS = (STATE, RESTARTED, APPEARED, RESOLVED, WAIVED, APPLIED, ROLLED_BACK)
RECORDED = (State.APPLIED, State.EDITED, State.MISSING, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Event:
    """What a round saw; it ended `at` (UTC), and what it saw happened at some time since the round before it.

    `name` is the object or the migration, of `state` the state before; `severity` is that of the finding or the state.
    `since` is when a finding that is resolved was first seen, since when the state before was, when the ledger says
    that a migration was applied, and of `restarted` the last round before. `finding` is its id. An event without a name
    that is about findings or migrations stands for the `count` others of its round.
    """

    at: datetime
    kind: str
    name: str = ""
    attribute: str | None = None
    problem: str = ""
    severity: str = ""
    since: datetime | None = None
    finding: str = ""
    count: int = 1


def longer(events: tuple[Event, ...], new: Iterable[Event], targets: int) -> tuple[Event, ...]:
    """Return the events of a target with new ones, of which it may have as many as its share among `targets`."""
    added = tuple(new)
    return (*events, *added)[-_share(targets) :] if added else events


def _share(targets: int) -> int:
    return max(LEAST, min(MOST_OF_TARGET, MOST // max(1, targets)))


def of_state(before: Severity | None, after: Severity, since: datetime | None, at: datetime) -> Iterator[Event]:
    """Yield the event of a target that is in another state; `since` is since when it was in the one before."""
    if before is not after:
        known = str(before) if before is not None else ""
        yield Event(at, STATE, known, severity=str(after), since=_until(since, at))


def of_findings(
    kind: str, findings: Sequence[Finding], at: datetime, first_seen: Mapping[Identity, datetime]
) -> Iterator[Event]:
    """Yield an event for each of these findings, with when it was first seen if that is known."""
    for finding in findings[:MOST_OF_ROUND]:
        one = identity(finding)
        yield Event(
            at,
            kind,
            _short(str(finding.key)),
            finding.attribute,
            finding.problem,
            str(finding.severity),
            _until(first_seen.get(one), at),
            finding_id(one),
        )
    yield from _others(kind, len(findings), at)


def of_migrations(before: Iterable[MigrationState], after: Iterable[MigrationState], at: datetime) -> Iterator[Event]:
    """Yield what a ledger has that it did not have in the round before, and what it has no longer."""
    then, now = _recorded(before), _recorded(after)
    gone = [Event(at, ROLLED_BACK, _short(name)) for name in reversed(then) if name not in now]
    new = [
        Event(at, APPLIED, _short(name), since=applied_at)
        for name, applied_at in now.items()
        if name not in then or then[name] != applied_at
    ]
    yield from _few(ROLLED_BACK, gone, at)
    yield from _few(APPLIED, new, at)


def applied_since(
    migrations: Iterable[MigrationState], last: datetime, known: Iterable[Event], at: datetime
) -> Iterator[Event]:
    """Yield what a ledger says was applied after the `last` round that could be compared with, and is not `known`."""
    seen = {(event.name, event.since) for event in known if event.kind == APPLIED}
    new = [
        Event(at, APPLIED, _short(name), since=applied_at)
        for name, applied_at in _recorded(migrations).items()
        if applied_at is not None and applied_at > last and (_short(name), applied_at) not in seen
    ]
    yield from _few(APPLIED, new, at)


def _recorded(migrations: Iterable[MigrationState]) -> dict[str, datetime | None]:
    """Return the migrations that have a row in the ledger; one whose rollback was interrupted has it still."""
    return {one.id: one.applied_at for one in migrations if one.applied_at is not None or one.state in RECORDED}


def _few(kind: str, events: Sequence[Event], at: datetime) -> Iterator[Event]:
    """Yield the newest of some events, after the number of the others."""
    yield from _others(kind, len(events), at)
    yield from events[-MOST_OF_ROUND:]


def _others(kind: str, number: int, at: datetime) -> Iterator[Event]:
    if number > MOST_OF_ROUND:
        yield Event(at, kind, count=number - MOST_OF_ROUND)


def _until(instant: datetime | None, at: datetime) -> datetime | None:
    """Return an instant that is not after what it led to, even if the clock was set back."""
    return None if instant is None else min(instant, at)


def _short(name: str) -> str:
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"

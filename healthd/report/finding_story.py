"""One finding of a target with all that is known about it, as its page and the API show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from healthd.expected.origins import Origin
from healthd.model.findings import Finding, finding_id, identity
from healthd.model.waivers import Waiver
from healthd.report.board import Entry
from healthd.report.documents import event_document, finding_document, origin_document, waiver_document
from healthd.report.finding_commands import Command, commands
from healthd.report.timeline import RESOLVED, Event


@dataclass(frozen=True, slots=True)
class Story:
    """A finding, its waiver if it has one, and its events, the newest first.

    It is reported `since`; `first_seen` is earlier if it was resolved in between. It is `current` if the last round has
    seen it, and that round is recent; otherwise it is the last known result. If its repair `follows`, the next verdict
    has it, a moment later.
    """

    id: str
    target: str
    finding: Finding
    waiver: Waiver | None
    current: bool
    since: datetime | None
    first_seen: datetime | None
    events: tuple[Event, ...]
    commands: tuple[Command, ...]
    follows: bool


def story(target: str, entry: Entry, wanted: str, now: datetime) -> Story | None:
    """Return the finding with this id; None if it is not reported, which is not the same as resolved."""
    for finding, waiver, seen in _findings(entry):
        one = identity(finding)
        if finding_id(one) == wanted:
            events = tuple(events_of(entry, wanted))
            may = () if waiver else tuple(commands(target, finding))
            since, current = entry.first_seen.get(one), seen and entry.fresh(now)
            first = min((*filter(None, [since]), *(event.at for event in events)), default=None)
            follows = entry.report is not None and entry.report.script_follows and not finding.repair
            return Story(wanted, target, finding, waiver, current, since, first, events, may, follows)
    return None


def _findings(entry: Entry) -> Iterator[tuple[Finding, Waiver | None, bool]]:
    """Yield each finding with its waiver, and whether the last round saw it; its check may not have been able to."""
    report = entry.report
    if report is not None:
        yield from ((finding, None, True) for finding in report.findings)
        yield from ((one.finding, one.waiver, True) for one in report.waived)
    yield from ((finding, None, False) for finding in entry.standing.values())


def events_of(entry: Entry, wanted: str) -> Iterator[Event]:
    """Yield the events of a finding, the newest first."""
    return (event for event in reversed(entry.timeline) if event.finding == wanted)


def last_resolved(entry: Entry, wanted: str) -> Event | None:
    """Return the event by which a finding was resolved, if the timeline still has it and it did not appear again."""
    newest = next(events_of(entry, wanted), None)
    return newest if newest is not None and newest.kind == RESOLVED else None


def story_document(found: Story, entry: Entry, origin: Origin | None) -> dict[str, Any]:
    """Return a finding with all that is known about it as JSON values."""
    rehearsed = entry.rehearsed
    return {
        "target": found.target,
        "id": found.id,
        "current": found.current,
        "since": found.since.isoformat() if found.since else None,
        "first_seen": found.first_seen.isoformat() if found.first_seen else None,
        "finding": finding_document(found.finding),
        "origin": origin_document(origin),
        "waiver": waiver_document(found.waiver) if found.waiver else None,
        "rehearsal": {"state": rehearsed.state, "words": rehearsed.words},
        "commands": [{"purpose": one.purpose, "command": one.text} for one in found.commands],
        "events": [event_document(event) for event in found.events],
    }

"""What outlives a restart: since when a target is as it is, what was reported, its timeline; as JSON, and back.

Only the memory of rounds is kept, never a result: a target that is restored has not been examined yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from healthd.model.findings import Finding, Identity
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.report.board import STALE_AFTER, Entry
from healthd.report.timeline import KINDS, Event
from healthd.report.timeline import MOST_OF_TARGET as MOST_EVENTS

MOST_OF_TARGET = 10_000  # findings; those that were seen first are kept
MOST = 100_000
SEVERITIES = {str(severity): severity for severity in Severity}
TIMES = ("since", "drift_since", "last_success", "last_good")


def remembered(entries: Mapping[str, Entry]) -> dict[str, Any]:
    """Return what is to be kept of these targets; of findings only their names, never a value or a message.

    The events are still records, which never change: `event_row` makes JSON of them, in another thread than the rounds.
    """
    room, found = MOST, {}
    for name, entry in entries.items():
        if entry.severity is None and entry.last_success is None:
            continue
        rows = sorted(_rows(entry), key=lambda row: row[0])[: min(room, MOST_OF_TARGET)]
        room -= len(rows)
        times = {word: _text(getattr(entry, word)) for word in TIMES}
        severity = None if entry.severity is None else str(entry.severity)
        own = {"severity": severity, **times, "adopted": entry.adopted, "findings": rows, "timeline": entry.timeline}
        found[name] = own
    return found


def event_row(event: Event) -> list[Any]:
    """Return an event as JSON values."""
    about = [event.name, event.attribute, event.problem, event.severity, event.finding, event.count]
    return [_text(event.at), event.kind, _text(event.since), *about]


def _event(row: Sequence[Any], now: datetime, texts: dict[str, str]) -> Event:
    """Return the event of a row; `texts` are those that events share, so that each is kept once."""
    at, kind, since, *words, count = row
    name, attribute, problem, severity, finding = (one and texts.setdefault(str(one), str(one)) for one in words)
    seen_at = _time(at, now) or now
    return Event(seen_at, str(kind), name, attribute, problem, severity, _time(since, now), finding, int(count))


def _rows(entry: Entry) -> Iterator[list[Any]]:
    """Yield a row for each finding that was reported: first seen, the finding, and its check; of a waived one no check.

    A finding whose check cannot tell at the moment may be both.
    """
    for (problem, key, attribute), finding in entry.standing.items():
        first = _text(entry.first_seen.get((problem, key, attribute)))
        yield [first or "", problem, key.kind, list(key.path), attribute, str(finding.severity), finding.check]
    for problem, key, attribute in entry.waived:
        first = _text(entry.first_seen.get((problem, key, attribute)))
        yield [first or "", problem, key.kind, list(key.path), attribute, None, None]


def recalled(document: Mapping[str, Any], entries: Mapping[str, Entry], now: datetime) -> dict[str, Entry]:
    """Return the entries of the targets that the document knows, with their memory; no time is in the future.

    Raises KeyError, TypeError or ValueError for a document that `remembered` did not make.
    """
    return {name: _entry(document[name], entry, now) for name, entry in entries.items() if name in document}


def _entry(found: Mapping[str, Any], entry: Entry, now: datetime) -> Entry:
    severity = None if found["severity"] is None else SEVERITIES[found["severity"]]
    since, drift_since, last_success, last_good = (_time(found[word], now) for word in TIMES)
    restored = Entry(
        entry.interval_s,
        severity=severity,
        since=since,
        drift_since=drift_since,
        last_success=last_success,
        last_good=last_good,
        adopted=str(found.get("adopted", "")),  # files of earlier releases do not have it
    )
    if restored.severity is Severity.OK and not _recent(restored, now):
        restored.severity = restored.since = None  # nobody looked meanwhile: it is not known to have been ok
    standing, waived = {}, set()
    for first, problem, kind, path, attribute, severity, check in found["findings"]:
        one: Identity = (str(problem), Key(str(kind), tuple(map(str, path))), attribute)
        restored.first_seen[one] = _time(first, now) or now
        if check is None:
            waived.add(one)
        else:
            standing[one] = Finding(one[0], one[1], "", SEVERITIES[severity], attribute=attribute, check=str(check))
    restored.standing, restored.waived = standing, frozenset(waived)
    texts: dict[str, str] = {}
    rows = found.get("timeline", ())  # as above; later releases may know other events
    restored.timeline = tuple(_event(row, now, texts) for row in rows[-MOST_EVENTS:] if row[1] in KINDS)
    return restored


def _recent(entry: Entry, now: datetime) -> bool:
    """Return whether the last round before the restart would still count."""
    seen = entry.last_success
    return seen is not None and now - seen <= timedelta(seconds=STALE_AFTER * entry.interval_s)


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _time(text: str | None, now: datetime) -> datetime | None:
    return min(datetime.fromisoformat(text), now) if text else None

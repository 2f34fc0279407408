"""Whether a daemon has stood the test: a line for each promise, with the figure and the limit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from soak.process import Usage
from soak.truth import UNKNOWN
from soak.watcher import Blind, Seen

ANSWER_S = 10.0  # as long as Prometheus waits for a scrape
BACKOFF_S = 33.0  # the longest pause after failures, with its jitter
BLIND_SHARE = 0.02  # of all rounds: those that fail without a fault, because the machine is busy
SPARE = 16  # descriptors and threads that come and go
GROWTH, GROWTH_MB = 1.1, 10.0
LINES = 60  # in the log for each fault, and for each target
FATAL = frozenset({"round.failed", "target_files.failed", "state.failed", "state.rejected", "settings.rejected"})


@dataclass(frozen=True, slots=True)
class Line:
    """One promise: what was seen, and whether that is good enough."""

    what: str
    seen: str
    good: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was seen until the end."""

    seen: Seen
    interval_s: float
    deadline_s: float
    faults: int
    targets: int
    errors: list[str]
    before: Usage
    after: Usage
    wrong_at_end: list[str]
    settled_s: float
    sessions: int  # that have rested on the servers for longer than a pause and a round
    sessions_after: int = 0  # the end of the daemon
    log: str = ""


def verdict(outcome: Outcome) -> Iterator[Line]:
    """Yield a line for each promise."""
    seen, rounds = outcome.seen, sum(outcome.seen.rounds.values())
    kinds = ", ".join(f"{number} {state}" for state, number in seen.rounds.most_common())
    yield Line("rounds seen", f"{rounds} ({kinds})", rounds > 0)
    yield Line("rounds for which only one state was possible", str(seen.sure), seen.sure > 0)
    yield Line("rounds that were not true", _some(seen.lies), not seen.lies)
    blind = [f"{one.target} at {one.begun:.2f}: {reason(outcome.log, one)}" for one in seen.blind]
    yield Line("rounds that failed without a fault", _some(blind), len(blind) <= 1 + BLIND_SHARE * rounds)
    yield from _standing(outcome)
    yield Line("wrong at the end", _some(outcome.wrong_at_end), not outcome.wrong_at_end)
    most_s = settling_s(outcome.interval_s, outcome.deadline_s)
    yield Line("true at the end after", f"{outcome.settled_s:.1f} s", outcome.settled_s <= most_s)
    yield Line("what else was wrong", _some(outcome.errors), not outcome.errors)
    yield from _used(outcome)
    yield from _said(outcome)


def settling_s(interval_s: float, deadline_s: float) -> float:
    """Return how long the truth may take to be shown: the pause after failures, a round, and two intervals."""
    return BACKOFF_S + deadline_s + 2 * interval_s + ANSWER_S


def _standing(outcome: Outcome) -> Iterator[Line]:
    """Yield how long a state stood that was not true: as long as a result is recent, or as a pause after failures."""
    for (true, shown), stood_s in sorted(outcome.seen.stood_s.items()):
        recent_s = 3.3 * outcome.interval_s + 2 * outcome.deadline_s + ANSWER_S
        limit_s = settling_s(outcome.interval_s, outcome.deadline_s) if shown == UNKNOWN else recent_s
        yield Line(f"longest {shown} while {true}", f"{stood_s:.1f} s (limit {limit_s:.0f} s)", stood_s <= limit_s)


def _used(outcome: Outcome) -> Iterator[Line]:
    before, after = outcome.before, outcome.after
    yield Line("sessions that were forgotten", str(outcome.sessions), not outcome.sessions)
    yield Line("sessions after its end", str(outcome.sessions_after), not outcome.sessions_after)
    words = f"{before.descriptors} at first, {after.descriptors} at the end"
    yield Line("descriptors", words, after.descriptors <= before.descriptors + SPARE)
    words = f"{before.threads} at first, {after.threads} at the end"
    yield Line("threads", words, after.threads <= before.threads + SPARE)
    _, second, last = thirds(outcome.seen.usage)
    good = last <= GROWTH * second + GROWTH_MB
    yield Line("memory, second and last third", f"{second:.1f} MB, {last:.1f} MB (medians)", good)


def thirds(usage: list[tuple[float, Usage]]) -> tuple[float, float, float]:
    """Return the median memory in each third of the time."""
    size = max(1, len(usage) // 3)
    parts = usage[:size], usage[size : 2 * size] or usage, usage[-size:]
    first, second, last = (median(one.resident_mb for _, one in part) for part in parts)
    return first, second, last


def _said(outcome: Outcome) -> Iterator[Line]:
    times = sorted(outcome.seen.scrapes_s)
    words = f"{len(times)}, {median(times):.3f} s median, {times[-1]:.2f} s longest" if times else "none"
    yield Line("scrapes answered", words, bool(times) and times[-1] <= ANSWER_S)
    yield Line("scrapes failed", _some(outcome.seen.failed), not outcome.seen.failed)
    lines = outcome.log.splitlines()
    words = f"{len(lines)} lines, {len(outcome.log) / 1e6:.2f} MB"
    yield Line("log", words, len(lines) <= LINES * (outcome.faults + outcome.targets))
    fatal = [line for line in lines if is_fatal(line)]
    yield Line("errors in the log", _some(fatal), not fatal)


def is_fatal(line: str) -> bool:
    """Return whether a line of the log is an error that no fault explains."""
    return _entry(line).get("event", "round.failed") in FATAL


def reason(log: str, blind: Blind) -> str:
    """Return what the log says of a round that could not see."""
    entries = (_entry(line) for line in log.splitlines() if f'"{blind.target}"' in line)
    appeared = (entry for entry in entries if entry.get("event") == "finding.appeared")
    found = [entry["message"] for entry in appeared if blind.begun <= _seconds(entry["timestamp"]) <= blind.at]
    return found[-1] if found else "the same as of the round before"


def _entry(line: str) -> dict[str, Any]:
    """Return what a line of the log says; nothing if it is of a traceback, or of what a library prints."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


def _some(found: list[str]) -> str:
    return "\n        ".join([str(len(found)), *found[:5]])

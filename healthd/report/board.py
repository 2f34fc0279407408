"""The one mutable object of the process: the latest report of each target, with times and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from healthd.model.findings import Finding, Identity, Report, Waived, identity
from healthd.model.ledger import MigrationState
from healthd.model.scripts import Rehearsed, steps_of
from healthd.model.severity import Severity
from healthd.report import timeline
from healthd.report.timeline import Event

BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROUNDS_KEPT = 30
STALE_AFTER = 3  # intervals
WAITED_MOST = 10  # intervals by which waiting for its turn keeps a report recent
GRACE_S = 1.0  # after its deadline a round has ended, and its report is here


@dataclass(slots=True)
class Entry:
    """What is known about one target; times are UTC, or None."""

    interval_s: float
    report: Report | None = None
    severity: Severity | None = None  # of the latest round, which may have been before a restart
    standing: Mapping[Identity, Finding] = field(default_factory=dict)
    waived: frozenset[Identity] = frozenset()  # the findings that were waived in the last round that could tell
    since: datetime | None = None
    drift_since: datetime | None = None
    last_success: datetime | None = None
    last_good: datetime | None = None
    adopted: str = ""  # the database in which a round saw a ledger, as `Report.database`
    first_seen: dict[Identity, datetime] = field(default_factory=dict)
    timeline: tuple[Event, ...] = ()  # the newest last
    ledger: tuple[str, tuple[MigrationState, ...]] | None = None  # as last read, and of which `Report.database`
    rounds: list[tuple[datetime, Severity, float]] = field(default_factory=list)
    runs: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    durations: Counter[float] = field(default_factory=Counter)
    duration_sum_s: float = 0.0
    responses: Counter[str] = field(default_factory=Counter)  # of an endpoint, by status; "none" without one
    answers: Counter[float] = field(default_factory=Counter)  # their durations, as `durations` of rounds
    answers_sum_s: float = 0.0
    questions: Counter[str] = field(default_factory=Counter)  # the number of each query, and below the total duration
    questions_sum_s: dict[str, float] = field(default_factory=dict)
    rehearsal: Rehearsed = field(default_factory=Rehearsed)  # of the script that a round last had
    incidents: Counter[str] = field(default_factory=Counter)  # by problem: how often it began
    begun_at: datetime | None = None  # the last round, whether it has ended or not
    fresh_until: datetime | None = None  # the latest report is recent until then
    waits_since: datetime | None = None  # for its turn, on a server that answers
    waited: timedelta = timedelta()  # for the last turn

    @property
    def rehearsed(self) -> Rehearsed:
        """Return how far the rehearsal of the latest report's script is."""
        same = self.report is not None and self.rehearsal.steps == steps_of(self.report.script)
        return self.rehearsal if same else Rehearsed()

    @property
    def remembered(self) -> bool:
        """Return whether all that is known is from before a restart: no round has finished since."""
        return self.report is None and self.last_success is not None

    def fresh(self, now: datetime) -> bool:
        """Return whether the latest report is recent: at most three intervals old, not counting what a round takes.

        A round that has begun before that may use its deadline, and a target that waits for its turn is not late.
        """
        return self.fresh_until is not None and now <= self.fresh_until + self._waited(now)

    def recent_s(self, now: datetime) -> float:
        """Return the age up to which a round that succeeded is recent: three intervals, its duration, and its wait."""
        took_s = self.report.duration_s if self.report is not None else 0.0
        return STALE_AFTER * self.interval_s + took_s + max(self.waited, self._waited(now)).total_seconds()

    def wait(self, now: datetime) -> None:
        """Begin to wait for a turn."""
        self.waits_since = now

    def hurry(self, now: datetime) -> None:
        """Wait no longer with excuse: its turn has come, or the server does not answer."""
        self.waited = self._waited(now)
        if self.fresh_until is not None:
            self.fresh_until += self.waited
        self.waits_since = None

    def begin(self, now: datetime, deadline_s: float) -> None:
        """Begin a round that ends at its deadline."""
        self.hurry(now)
        self.begun_at = now
        if self.fresh_until is not None and now <= self.fresh_until:
            self.fresh_until = max(self.fresh_until, now + timedelta(seconds=deadline_s + GRACE_S))

    def _waited(self, now: datetime) -> timedelta:
        """Return how much longer the latest report is recent because the target waits."""
        waited = now - self.waits_since if self.waits_since is not None else timedelta()
        return max(timedelta(), min(waited, timedelta(seconds=WAITED_MOST * self.interval_s)))


@dataclass(frozen=True, slots=True)
class Change:
    """The findings that are new in a round, those that were resolved, and those that are now waived."""

    appeared: tuple[Finding, ...]
    resolved: tuple[Finding, ...]
    waived: tuple[Waived, ...] = ()
    turned: bool = False  # the severity of the target is another one

    def __bool__(self) -> bool:
        return bool(self.turned or self.appeared or self.resolved or self.waived)


@dataclass(slots=True)
class Delivery:
    """How the requests to one Alertmanager went."""

    sent: int = 0
    failed: int = 0
    reached: bool | None = None  # by the last one


@dataclass(slots=True)
class Board:
    """The latest of everything; the daemon's tasks write it, pages and metrics read it."""

    entries: dict[str, Entry] = field(default_factory=dict)
    reload_ok: bool = True
    files_ok: bool = True
    web_ok: bool = True  # the web configuration is in use as it is written
    certificate_expires_at: datetime | None = None  # of the web server
    wrong_files: tuple[str, ...] = ()  # names of target files that are not in use as they are
    reloaded_at: datetime | None = None
    needs_restart: tuple[str, ...] = ()  # settings that the last reload has read and could not apply
    external_url: str = ""  # the URL of the pages for others, without a trailing /
    allowed_hosts: tuple[str, ...] = ()
    disconnected: Counter[str] = field(default_factory=Counter)  # clients of the web server, by reason
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of targets that have some
    contracts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the names of those of each target
    machine: tuple[str, ...] = ()  # the names of this host
    alertmanagers: dict[str, Delivery] = field(default_factory=dict)  # by host, port and path

    @property
    def unreached(self) -> list[str]:
        """Return the Alertmanagers that did not accept the last request."""
        return [place for place, delivery in self.alertmanagers.items() if delivery.reached is False]

    def watch(self, targets: Iterable[tuple[str, float]]) -> None:
        """Keep exactly these targets (name and interval in seconds), and remove the others."""
        self.entries = {name: self.entries.get(name) or Entry(interval_s) for name, interval_s in targets}
        for name, interval_s in targets:
            self.entries[name].interval_s = interval_s

    def clock_set(self, jump: timedelta) -> None:
        """Note that the clock was set: that it was set back makes no report recent for longer.

        If it was set forward, reports stay as old as they seem to be: perhaps this machine stood still meanwhile.
        """
        for entry in self.entries.values():
            if entry.fresh_until is not None:
                entry.fresh_until += min(jump, timedelta())
            if entry.waits_since is not None:
                entry.waits_since += jump

    def post(self, report: Report) -> Change:
        """Store a report, and return what changed; the findings of a check that cannot tell are kept."""
        entry = self.entries[report.target]
        past = replace(entry)
        ended_at = report.started_at + timedelta(seconds=report.duration_s)
        turned = entry.since is None or entry.severity is not report.severity
        entry.since = _earlier(None if turned else entry.since, ended_at)
        entry.report, entry.severity = report, report.severity
        pause_s = max(entry.interval_s, report.next_round_s)
        entry.fresh_until = report.started_at + timedelta(seconds=STALE_AFTER * pause_s + report.duration_s)
        entry.waits_since = None
        _count(entry, report)
        entry.rounds = [*entry.rounds[1 - ROUNDS_KEPT :], (report.started_at, report.severity, report.duration_s)]
        entry.last_success, entry.last_good = _past(entry.last_success, ended_at), _past(entry.last_good, ended_at)
        if report.failure is None:
            entry.last_success = ended_at
        if report.severity is Severity.OK:
            entry.last_good = ended_at
        if report.has_ledger:
            entry.adopted = report.database
        before, seen = entry.standing, {identity(one): one for one in report.findings}
        unclear = {one for one, finding in before.items() if report.checks.get(finding.check) is Severity.UNKNOWN}
        entry.standing = {one: before[one] for one in unclear} | seen
        if report.failure is None:
            drifted = any(one.severity is Severity.CRITICAL for one in entry.standing.values())
            entry.drift_since = _earlier(entry.drift_since, ended_at) if drifted else None
        entry.incidents.update({problem for problem, *_ in entry.standing} - {problem for problem, *_ in before})
        waived = {identity(one.finding): one for one in report.waived}
        known, entry.waived = entry.waived, entry.waived if report.failure else frozenset(waived)
        seen_at = entry.first_seen
        entry.first_seen = {one: _earlier(seen_at.get(one), ended_at) for one in (*entry.standing, *entry.waived)}
        change = Change(
            tuple(finding for one, finding in seen.items() if one not in before),
            tuple(finding for one, finding in before.items() if one not in entry.standing and one not in waived),
            tuple(one for name, one in waived.items() if name not in known),
            turned,
        )
        events = (*_migrations(past, report, ended_at), *_events(past, report, change, ended_at))
        entry.timeline = timeline.longer(entry.timeline, events, len(self.entries))
        entry.ledger = (report.database, report.migrations) if _readable(report) else entry.ledger
        return change


def _count(entry: Entry, report: Report) -> None:
    """Add a round to the counts of its target."""
    entry.runs += 1
    entry.duration_sum_s += report.duration_s
    entry.durations[_bucket(report.duration_s)] += 1
    if report.failure is not None:
        entry.failures[report.failure] += 1
    for asked in filter(None, (report.asked and report.asked.before, report.asked)):
        entry.responses[str(asked.status or "none")] += 1
        entry.answers[_bucket(asked.duration_s)] += 1
        entry.answers_sum_s += asked.duration_s
    for question, took_s in report.questions:
        entry.questions[question] += 1
        entry.questions_sum_s[question] = entry.questions_sum_s.get(question, 0.0) + took_s


def _events(past: Entry, report: Report, change: Change, at: datetime) -> Iterator[Event]:
    """Yield what a round saw of the findings and the state; `past` is what was known before it."""
    if past.remembered:
        yield Event(at, timeline.RESTARTED, since=past.last_success)
    yield from timeline.of_findings(timeline.RESOLVED, change.resolved, at, past.first_seen)
    yield from timeline.of_findings(timeline.WAIVED, [one.finding for one in change.waived], at, past.first_seen)
    yield from timeline.of_findings(timeline.APPEARED, change.appeared, at, {})
    yield from timeline.of_state(past.severity, report.severity, past.since, at)


def _migrations(past: Entry, report: Report, at: datetime) -> Iterator[Event]:
    """Yield what a round saw of the migrations; only the ledger of the same database can be compared with."""
    if not _readable(report):
        return
    if past.ledger is not None:
        database, migrations = past.ledger
        if database == report.database:
            yield from timeline.of_migrations(migrations, report.migrations, at)
    elif past.last_success is not None and past.adopted in ("", report.database):
        yield from timeline.applied_since(report.migrations, past.last_success, past.timeline, at)


def _readable(report: Report) -> bool:
    """Return whether a round read the ledger of its database."""
    about_no_ledger = report.asked is not None or report.listed is not None
    return report.failure is None and report.not_adopted is None and not about_no_ledger


def _earlier(since: datetime | None, now: datetime) -> datetime:
    """Return since when something is so that is so now: never in the future, even if the clock was set back."""
    return now if since is None else min(since, now)


def _past(instant: datetime | None, now: datetime) -> datetime | None:
    return None if instant is None else min(instant, now)


def _bucket(seconds: float) -> float:
    return next((one for one in BUCKETS_S if seconds <= one), float("inf"))

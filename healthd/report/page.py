"""The board as HTML pages for people, readable on a phone and without scripts."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from healthd.checks import CHECKS, applicable
from healthd.model.findings import Finding, Report, identity
from healthd.model.ledger import MigrationState, State
from healthd.model.severity import Severity
from healthd.report.board import ROUNDS_KEPT, Board, Entry
from healthd.report.html import ago, counted, favicon, icon, plain, prose, span, utc, visible, whole
from healthd.report.problems import PROBLEMS, WATCHER, leading
from healthd.report.side_by_side import Sides, compare
from healthd.text import natural

OPEN = 5  # findings that are initially unfolded
WHOLE = 100  # findings that are shown completely; each of the others is one line
NAMED = 500  # findings that are shown; the JSON contains all of them
NAMED_FILES = 20  # target files that are wrong
NEWEST = 5  # applied migrations that are not folded
PAGE = 200_000  # characters of the expected and actual values and repairs; each finding beyond them is one line

FAILURES = {  # what the headline says when a round could not read its target, by the reason
    "unreachable": "cannot reach",
    "timeout": "got no answer in time from",
    "denied": "lacks privileges on",
}
DIFFERS = "differs from sql/"
UNMET = "does not meet the needs of its applications"
OUTDATED = "has a waiver that no longer holds"
EXHAUSTING = "is running out of sequence numbers"
HEADLINES = {  # what the headline says about each problem, in the order of precedence
    "schema_mismatch": DIFFERS,
    "enum_mismatch": DIFFERS,
    "partition_half_detached": DIFFERS,
    "migration_interrupted": "has a partly applied migration",
    "migration_edited": "has an edited migration",
    "migration_missing": "has an applied migration without a file",
    "migration_unknown": "is ahead of sql/",
    "contract_broken": UNMET,
    "serialization_failed": UNMET,
    "permission_denied": UNMET,
    "collation_version_moved": "has indexes of another collation version",
    "sequence_exhausted": EXHAUSTING,
    "sequence_exhausting": EXHAUSTING,
    "unexpected_object": DIFFERS,
    "endpoint_unavailable": "is not available",
    "endpoint_mismatch": "does not match its contract",
    "endpoint_slow": "is slow",
    "waiver_expired": OUTDATED,
    "waiver_unused": OUTDATED,
}


def overview(board: Board, *, now: datetime, runbook: str, version: str, base: str = "") -> str:
    """Return the page of all targets, the worst first."""
    standings = sorted(
        (Standing.of(name, entry, now) for name, entry in board.entries.items()),
        key=lambda one: (-(one.severity or Severity.OK), natural(one.name)),
    )
    groups = {severity: [one for one in standings if one.severity is severity] for severity in reversed(Severity)}
    worst = next((severity for severity, members in groups.items() if members), None)
    return _render(
        "overview.html",
        severity=worst if standings else Severity.UNKNOWN,
        groups=groups,
        waiting=[one for one in standings if one.severity is None],
        count=len(standings),
        board=board,
        now=now,
        runbook=_prefixed(runbook, base),
        linked=_linked(runbook),
        version=version,
        base=base,
        refresh_s=15,
    )


def target(name: str, entry: Entry, *, now: datetime, runbook: str, version: str, base: str = "") -> str:
    """Return the page of one target; it reloads automatically only if it has no findings to read or to copy."""
    standing = Standing.of(name, entry, now)
    findings = entry.report.findings if entry.report else ()
    whole = _fitting(findings)
    return _render(
        "target.html",
        severity=standing.severity,
        one=standing,
        entry=entry,
        report=entry.report,
        rehearsed=entry.rehearsed.words,
        findings=[Shown.of(one, entry) for one in findings[:whole]],
        further=findings[whole:NAMED],
        hidden=max(0, len(findings) - NAMED),
        waived=entry.report.waived[:NAMED] if entry.report else (),
        rounds=tuple(bars(entry)),
        unconfigured=_unconfigured(entry.report),
        migrations=sorted(entry.report.migrations, key=_newest, reverse=True) if entry.report else [],
        now=now,
        runbook=_prefixed(runbook, base),
        linked=_linked(runbook),
        version=version,
        base=base,
        refresh_s=None if findings else 15 if entry.report else 5,
    )


def _unconfigured(report: Report | None) -> list[str]:
    """Return the checks for which nothing is configured: they have no verdict."""
    if report is None or report.asked is not None or report.not_adopted is not None:
        return []
    known = {"endpoints", *applicable(()), *report.checks}
    if report.failure is not None:
        known.add("waivers")  # whether there are any is not known: the files may be unread
    return [name for name in CHECKS if name not in known]


def not_found(name: str, known: Iterable[str], *, version: str, base: str = "") -> str:
    """Return the page for a target that does not exist."""
    return _render(
        "not_found.html",
        severity=Severity.UNKNOWN,
        name=name,
        known=sorted(known, key=natural),
        now=None,
        linked=False,
        version=version,
        base=base,
        refresh_s=None,
    )


def runbook_page(*, version: str, base: str = "") -> str:
    """Return the runbook: a section for each problem."""
    sections = (*PROBLEMS.values(), *WATCHER)
    return _render(
        "runbook.html",
        severity=Severity.OK,
        sections=sections,
        version=version,
        now=None,
        refresh_s=None,
        linked=True,
        runbook=f"{base}/runbook",
        base=base,
    )


def _fitting(findings: Iterable[Finding]) -> int:
    """Return how many findings are shown completely: the first one, and the next ones that fit on the page."""
    texts = ((one.expected or "", one.actual or "", *one.repair) for one in findings)
    sizes = accumulate(sum(map(len, text)) for text in texts)
    return sum(1 for number, size in enumerate(sizes) if number == 0 or (size <= PAGE and number < WHOLE))


def _linked(runbook: str) -> bool:
    """Return whether a browser can open the runbook; a file next to yoyo.ini is only named."""
    return runbook.startswith("/") or "://" in runbook


def _prefixed(runbook: str, base: str) -> str:
    return f"{base}{runbook}" if runbook.startswith("/") else runbook


def _newest(migration: MigrationState) -> tuple[bool, str]:
    """Order migrations by name, those whose state is not applied last."""
    return migration.state is not State.APPLIED, migration.id


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one target, and the headline, which consists of the texts before and after its name."""

    name: str
    severity: Severity | None  # None before the first round
    before: str
    after: str
    entry: Entry
    fresh: bool
    seen_at: datetime | None  # when the latest round finished
    next_at: datetime | None
    worst: Finding | None

    @classmethod
    def of(cls, name: str, entry: Entry, now: datetime) -> Standing:
        """Return the state of a target; without a recent round it is unknown, and before the first one it has none."""
        report, fresh = entry.report, entry.fresh(now)
        seen_at = report.started_at + timedelta(seconds=report.duration_s) if report else None
        before, after = _headline(entry, fresh, seen_at, now)
        return cls(
            name,
            (report.severity if fresh else Severity.UNKNOWN) if report else None,
            before,
            after,
            entry,
            fresh,
            seen_at,
            seen_at + timedelta(seconds=report.next_round_s) if report and seen_at else None,
            leading(report.findings) if report else None,
        )

    @property
    def more(self) -> int:
        """Return the number of findings apart from the worst one."""
        return len(self.entry.report.findings) - 1 if self.entry.report and self.worst else 0


def _headline(entry: Entry, fresh: bool, seen_at: datetime | None, now: datetime) -> tuple[str, str]:
    """Return the texts of the headline before and after the target's name."""
    report = entry.report
    if report is None or seen_at is None:
        return "healthd has not examined ", " yet"
    if not fresh:
        return "healthd has not examined ", f" for {span(now - seen_at)}"
    if report.failure:
        return f"healthd {FAILURES.get(report.failure, 'cannot examine')} ", ""
    problems = {one.problem for one in report.findings}
    severities = {one.severity for one in report.findings}
    count = f": {counted(len(report.findings), 'finding')}"
    count += ", and some checks cannot tell" if severities >= {Severity.CRITICAL, Severity.UNKNOWN} else ""
    if not problems:
        return "", " matches sql/" if report.asked is None else " responds as expected"
    if problems == {"not_adopted"}:
        return "", " is not adopted yet"
    if problems == {"migration_pending"}:
        return "", f" has {counted(len(report.findings), 'pending migration')}"
    if Severity.CRITICAL in severities:
        worst = {one.problem for one in report.findings if one.severity is Severity.CRITICAL}
        return "", f" {_predicate(worst)}{count}"
    if Severity.UNKNOWN in severities:
        return "healthd cannot check all of ", count
    minor = " in minor points" if _predicate(problems) == DIFFERS else ""
    return "", f" {_predicate(problems)}{minor}{count}"


def _predicate(problems: Collection[str]) -> str:
    """Return what the headline says about a target with these problems."""
    return next((words for problem, words in HEADLINES.items() if problem in problems), "has problems")


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with its expected and actual value compared, and the time at which it appeared."""

    finding: Finding
    since: datetime | None
    sides: Sides | None

    @classmethod
    def of(cls, finding: Finding, entry: Entry) -> Shown:
        """Return a finding as the page shows it."""
        told = finding.expected is not None or finding.actual is not None
        sides = compare(finding.expected or "nothing", finding.actual or "nothing") if told else None
        return cls(finding, entry.first_seen.get(identity(finding)), sides)

    @property
    def message(self) -> str:
        """Return the message without the name and the two values, which the page shows already; may be empty."""
        finding = self.finding
        message = finding.message.removeprefix(f"{finding.key}: ").replace("\t", " ")
        sides_only = finding.attribute and message.startswith(f"{finding.attribute.replace('_', ' ')} ")
        return "" if sides_only and ", expected " in message else message


def bars(entry: Entry) -> Iterator[tuple[int, int, Severity, str]]:
    """Yield (x, height, severity, words) for each of the last rounds, the newest on the right."""
    heights = {Severity.OK: 8, Severity.WARNING: 16, Severity.CRITICAL: 28, Severity.UNKNOWN: 28}
    for number, (started_at, severity, duration_s) in enumerate(entry.rounds, ROUNDS_KEPT - len(entry.rounds)):
        words = f"{started_at:%Y-%m-%d %H:%M:%S} UTC: {severity}, {duration_s:.2f} s"
        yield number * 10, heights[severity], severity, words


def tally(entry: Entry) -> str:
    """Return the last rounds in words."""
    counts = Counter(severity for _, severity, _ in entry.rounds)
    longest = max((duration_s for *_, duration_s in entry.rounds), default=0.0)
    said = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
    return f"{counted(len(entry.rounds), 'round')}: {said}; the longest took {longest:.2f} s"


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("healthd.report"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.filters |= {
        "ago": ago,
        "counted": counted,
        "icon": icon,
        "plain": plain,
        "prose": prose,
        "quoted": functools.partial(quote, safe=""),
        "tally": tally,
        "utc": utc,
        "visible": visible,
        "whole": whole,
    }
    made.globals |= {"PROBLEMS": PROBLEMS, "OPEN": OPEN, "NEWEST": NEWEST, "NAMED_FILES": NAMED_FILES}
    return made


def _render(template: str, *, severity: Severity | None, **values: object) -> str:
    return _environment().get_template(template).render(severity=severity, icon_url=favicon(severity), **values)

"""The board as HTML pages for people, readable on a phone and without scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from healthd.checks import CHECKS, applicable
from healthd.model.findings import Finding, Report, finding_id
from healthd.model.ledger import MigrationState, State
from healthd.model.severity import Severity
from healthd.report.board import ROUNDS_KEPT, Board, Entry
from healthd.report.compatibility import on_target
from healthd.report.finding_views import groups
from healthd.report.html import counted
from healthd.report.page_filter import PageFilter
from healthd.report.problems import PROBLEMS, WATCHER
from healthd.report.rendering import render
from healthd.report.target_states import STATES, Standing
from healthd.text import natural

OPEN = 5  # findings that are initially unfolded
NAMED = 500  # findings that are shown; the JSON contains all of them
NAMED_FILES = 20  # target files that are wrong
NEWEST = 5  # applied migrations that are not folded
EVENTS = 50  # of the timeline; the JSON contains all of them
FEW = 6  # findings, or targets, among which nobody needs to search
EVERYTHING = PageFilter()


def overview(
    board: Board, *, now: datetime, runbook: str, version: str, base: str = "", page_filter: PageFilter = EVERYTHING
) -> str:
    """Return the page of all targets, the worst first, or of those that were chosen."""
    standings = sorted(
        (Standing.of(name, entry, now) for name, entry in board.entries.items()),
        key=lambda one: (STATES.index(one.state), natural(one.name)),
    )
    shown = [one for one in standings if page_filter.has(one.state, *_words(one, board))] if page_filter else standings
    return render(
        "overview.html",
        state=standings[0].state if standings else str(Severity.UNKNOWN),
        groups={state: [one for one in shown if one.state == state] for state in STATES},
        counts={state: sum(1 for one in standings if one.state == state) for state in STATES},
        count=len(standings),
        shown=len(shown),
        board=board,
        now=now,
        runbook=runbook,
        version=version,
        base=base,
        refresh_s=15,
        page_filter=page_filter,
        searchable=len(standings) > FEW or bool(page_filter),
        NAMED_FILES=NAMED_FILES,
    )


def _words(one: Standing, board: Board) -> Iterator[str]:
    """Yield the texts of a target that a reader may search for."""
    yield one.name
    yield from board.labels.get(one.name, {}).values()
    if report := one.entry.report:
        yield report.database
        for finding in report.findings[:NAMED]:
            yield f"{finding.key} {PROBLEMS[finding.problem].title}"


def target(
    name: str,
    entry: Entry,
    *,
    now: datetime,
    runbook: str,
    version: str,
    base: str = "",
    page_filter: PageFilter = EVERYTHING,
    contracts: Sequence[str] = (),
) -> str:
    """Return the page of one target, whose database is compared with these contracts.

    Its script brings it up to date; without scripts it reloads only if it has no findings to read or to copy.
    """
    standing = Standing.of(name, entry, now)
    every = entry.report.findings if entry.report else ()
    findings = [one for one in every if page_filter.has(str(one.severity), *_texts(one))] if page_filter else every
    return render(
        "target.html",
        state=standing.state,
        one=standing,
        entry=entry,
        report=entry.report,
        rehearsed=entry.rehearsed.words,
        count=len(every),
        counts=Counter(str(one.severity) for one in every),
        groups=groups(findings[:NAMED], entry),
        hidden=max(0, len(findings) - NAMED),
        chosen=len(findings),
        waived=entry.report.waived[:NAMED] if entry.report else (),
        rounds=tuple(bars(entry)),
        unconfigured=_unconfigured(entry.report),
        contracts=[on_target(entry, contract, now) for contract in contracts],
        migrations=sorted(entry.report.migrations, key=_newest, reverse=True) if entry.report else [],
        now=now,
        runbook=runbook,
        version=version,
        base=base,
        refresh_s=15 if entry.report else 5,
        reloads=not every,
        page_filter=page_filter,
        searchable=len(every) > FEW or bool(page_filter),
        tally=tally(entry),
        events=entry.timeline[: -EVENTS - 1 : -1],
        known={finding_id(one) for one in entry.first_seen},
        OPEN=OPEN,
        NEWEST=NEWEST,
    )


def _texts(finding: Finding) -> Iterator[str]:
    """Yield the texts of a finding that a reader may search for."""
    yield from (str(finding.key), finding.message, finding.problem, finding.check, PROBLEMS[finding.problem].title)


def _unconfigured(report: Report | None) -> list[str]:
    """Return the checks for which nothing is configured: they have no verdict."""
    if report is None or report.asked or report.listed or report.not_adopted is not None:
        return []
    known = {"endpoints", "databases", "tenants", *applicable(()), *report.checks}
    if report.failure is not None:
        known.add("waivers")  # whether there are any is not known: the files may be unread
    return [name for name in CHECKS if name not in known]


def not_found(name: str, known: Iterable[str], *, version: str, base: str = "") -> str:
    """Return the page for a target that does not exist."""
    return render(
        "not_found.html",
        state=str(Severity.UNKNOWN),
        name=name,
        known=sorted(known, key=natural),
        now=None,
        version=version,
        base=base,
    )


def no_page(known: Iterable[str], *, version: str, base: str = "") -> str:
    """Return the page for an address that leads nowhere."""
    return not_found("", known, version=version, base=base)


def runbook_page(*, version: str, base: str = "") -> str:
    """Return the runbook: a section for each problem."""
    sections = (*PROBLEMS.values(), *WATCHER)
    return render(
        "runbook.html",
        state=str(Severity.OK),
        sections=sections,
        version=version,
        now=None,
        runbook="/runbook",
        base=base,
    )


def _newest(migration: MigrationState) -> tuple[bool, str]:
    """Order migrations by name, those whose state is not applied last."""
    return migration.state is not State.APPLIED, migration.id


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

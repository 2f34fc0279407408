"""The page of one finding: its story, from since when to how to repair, adopt or waive it."""

from __future__ import annotations

from datetime import datetime

from healthd.expected.origins import Origin
from healthd.model.severity import Severity
from healthd.report.board import Entry
from healthd.report.finding_story import Story, last_resolved
from healthd.report.finding_views import Shown
from healthd.report.problems import PROBLEMS
from healthd.report.rendering import render


def finding(
    story: Story, entry: Entry, *, origin: Origin | None, now: datetime, runbook: str, version: str, base: str = ""
) -> str:
    """Return the page of a finding; what is not the result of a recent round has the state unknown."""
    one = story.finding
    shown = Shown.of(one, 1, entry, whole=True)
    return render(
        "finding_page.html",
        state=str(one.severity if story.current else Severity.UNKNOWN),
        story=story,
        finding=one,
        problem=PROBLEMS[one.problem],
        shown=shown,
        words=shown.message or shown.line,
        entry=entry,
        report=entry.report,
        fresh=entry.fresh(now),
        consequences=one.facts.get("consequences", ()),
        rehearsed=entry.rehearsed.words,
        origin=origin,
        now=now,
        runbook=runbook,
        version=version,
        base=base,
        refresh_s=15,
        reloads=False,
    )


def gone(target: str, entry: Entry, wanted: str, *, now: datetime, runbook: str, version: str, base: str = "") -> str:
    """Return the page for a finding that is not reported: when it was resolved, as far as that is known."""
    return render(
        "finding_gone.html",
        state=str(Severity.UNKNOWN),
        target=target,
        resolved=last_resolved(entry, wanted),
        seen=entry.report is not None and entry.fresh(now),
        now=now,
        runbook=runbook,
        version=version,
        base=base,
        refresh_s=15,
    )

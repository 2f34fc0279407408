"""Findings as a page shows them: in groups, each with what is wrong in a line, and both sides compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from healthd.model.findings import Finding, Problem, finding_id, identity
from healthd.model.severity import Severity
from healthd.report.board import Entry
from healthd.report.problems import PROBLEMS
from healthd.report.side_by_side import Sides, compare

WHOLE = 100  # findings that are shown completely; each of the others is one line
PAGE = 200_000  # characters of the expected and actual values and repairs; each finding beyond them is one line
SHORT, SHORT_LINES = 400, 8  # characters and lines that fit without scrolling
LINE = 300  # characters of what is wrong, in a line


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding as a page shows it; `sides` only if it is shown completely."""

    finding: Finding
    number: int  # from 1, on the page
    since: datetime | None
    sides: Sides | None
    whole: bool

    @classmethod
    def of(cls, finding: Finding, number: int, entry: Entry, *, whole: bool) -> Shown:
        """Return a finding as the page shows it."""
        differs = whole and (finding.expected is not None or finding.actual is not None)
        sides = compare(finding.expected or "nothing", finding.actual or "nothing") if differs else None
        return cls(finding, number, entry.first_seen.get(identity(finding)), sides, whole)

    @property
    def id(self) -> str:
        """Return a name that the finding keeps from round to round."""
        return f"finding-{self.address}"

    @property
    def address(self) -> str:
        """Return what the address of its page names it by."""
        return finding_id(identity(self.finding))

    @property
    def scrolls(self) -> bool:
        """Return whether one of the values may be too long for the place that it is shown in."""
        return scrolls(self.finding.expected or "") or scrolls(self.finding.actual or "")

    @property
    def line(self) -> str:
        """Return what is wrong, on one line, without the name."""
        words = " ".join(self._said.split())
        return words if len(words) <= LINE else f"{words[:LINE]}…"

    @property
    def message(self) -> str:
        """Return the message without the name and the two values, which the page shows already; may be empty."""
        attribute = self.finding.attribute
        sides_only = attribute and self._said.startswith(f"{attribute.replace('_', ' ')} ")
        return "" if sides_only and ", expected " in self._said else self._said

    @property
    def _said(self) -> str:
        message, name = self.finding.message.replace("\t", " "), str(self.finding.key)
        return message.removeprefix(f"{name}: ").removeprefix(f"{name} ")


def scrolls(text: str) -> bool:
    """Return whether a text may be so long on a phone that it must be scrolled, and a key must reach it."""
    return len(text) > SHORT or text.count("\n") > SHORT_LINES


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one problem and one severity."""

    problem: Problem
    severity: Severity
    members: tuple[Shown, ...]

    @property
    def id(self) -> str:
        """Return its name on the page."""
        return f"{self.problem.name}-{self.severity}"


def groups(findings: Sequence[Finding], entry: Entry) -> tuple[Group, ...]:
    """Return the findings in groups, in their order."""
    whole = _fitting(findings)
    shown = (Shown.of(one, number, entry, whole=number <= whole) for number, one in enumerate(findings, 1))
    return tuple(_grouped(shown))


def _grouped(shown: Iterable[Shown]) -> Iterator[Group]:
    made: dict[tuple[str, Severity], list[Shown]] = {}
    for one in shown:
        made.setdefault((one.finding.problem, one.finding.severity), []).append(one)
    for (problem, severity), found in made.items():
        yield Group(PROBLEMS[problem], severity, tuple(found))


def _fitting(findings: Iterable[Finding]) -> int:
    """Return how many findings are shown completely: the first one, and the next ones that fit on the page."""
    texts = ((one.expected or "", one.actual or "", *one.repair) for one in findings)
    sizes = accumulate(sum(map(len, text)) for text in texts)
    return sum(1 for number, size in enumerate(sizes) if number == 0 or (size <= PAGE and number < WHOLE))

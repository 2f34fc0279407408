"""A constraint is added with a scan of the entire table under a lock."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source, alterations, confirmed
from healthd.sqltext.classify import is_not_valid
from healthd.sqltext.table_costs import CHECKED

RULE = Rule(
    "constraint_scans",
    "warning",
    "A constraint is added with a scan of the entire table under a lock",
    why="""
ADD FOREIGN KEY blocks writes to both tables while it reads every row; ADD CHECK blocks reads and writes.""",
    instead="""
Use `ADD CONSTRAINT … NOT VALID`, and in the next migration `VALIDATE CONSTRAINT`.
The validation blocks neither reads nor writes.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each FOREIGN KEY or CHECK that is added without NOT VALID."""
    yield from confirmed(source, _guessed(source), lambda step: bool(step.scans))


def _guessed(source: Source) -> Iterator[tuple[Linted, str]]:
    for one, name, rest in alterations(source):
        for match in CHECKED.finditer(rest):
            if not is_not_valid(match[0]):
                yield one, f"{' '.join(match[1].upper().split())} without NOT VALID scans all of {name} under a lock"

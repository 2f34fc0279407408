"""SET NOT NULL reads the entire table under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source, alterations, confirmed
from healthd.sqltext.classify import validates
from healthd.sqltext.table_costs import SETS_NOT_NULL

RULE = Rule(
    "not_null_scans",
    "warning",
    "SET NOT NULL reads the entire table under ACCESS EXCLUSIVE",
    why="""
No other session can read or write the table until every row has been checked.""",
    instead="""
Use `ADD CONSTRAINT c CHECK (x IS NOT NULL) NOT VALID`, and `VALIDATE CONSTRAINT c` in the next migration.
SET NOT NULL then relies on the constraint and skips the scan.
From PostgreSQL 18 on, use `ADD CONSTRAINT c NOT NULL x NOT VALID`.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each SET NOT NULL in a file that validates no constraint."""
    yield from confirmed(source, _guessed(source), lambda step: bool(step.scans))


def _guessed(source: Source) -> Iterator[tuple[Linted, str]]:
    if any(validates(one.code) for one in source.statements):
        return
    for one, name, rest in alterations(source):
        for match in SETS_NOT_NULL.finditer(rest):
            yield one, f"SET NOT NULL on {match[1]} scans all of {name} and blocks reads and writes meanwhile"

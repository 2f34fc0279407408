"""ATTACH PARTITION reads the whole partition under ACCESS EXCLUSIVE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import NAME, Rule, Source, Told, confirmed, table

RULE = Rule(
    "attach_scans",
    "warning",
    "ATTACH PARTITION reads the whole partition under ACCESS EXCLUSIVE",
    why="""
Every row is looked at, to see whether it belongs there, while nobody else reads or writes the partition;
so is the default partition, if there is one. A valid CHECK that says the same makes that unnecessary.
`healthd lock` measures whether it happens.""",
    instead="""
In migrations before it,
`ADD CONSTRAINT c CHECK (at >= '2027-01-01' AND at < '2028-01-01' AND at IS NOT NULL) NOT VALID`,
then `VALIDATE CONSTRAINT c`; the same, negated, on the default partition. Drop c afterwards.""",
)

ATTACH = re.compile(
    rf"alter\s+table\s+(?:if\s+exists\s+)?{NAME}\s+attach\s+partition\s+{NAME}", re.IGNORECASE | re.DOTALL
)
PROVES = re.compile(
    rf"alter\s+table\s+(?:if\s+exists\s+)?{NAME}\b.*\b(?:validate\s+constraint|add\s+(?:constraint\s+\S+\s+)?check)\b",
    re.IGNORECASE | re.DOTALL,
)
NOT_VALID = re.compile(r"\bnot\s+valid\b", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each ATTACH of a table that was there before, and on which the file proves nothing."""
    yield from confirmed(source, _guessed(source), lambda step: bool(step.scans))


def _guessed(source: Source) -> Iterator[tuple[Told, str]]:
    proven = {
        table(match[1])
        for one in source.statements
        if (match := PROVES.match(one.code)) and not NOT_VALID.search(one.code)
    }
    for one in source.statements:
        match = ATTACH.match(one.code)
        if match and table(match[2]) not in source.new | proven:
            yield one, f"reads all of {match[2]} while nobody else may, unless a valid CHECK says what belongs there"

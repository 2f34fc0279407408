"""ATTACH PARTITION reads the entire partition under ACCESS EXCLUSIVE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import NAME, Linted, Rule, Source, confirmed, table
from healthd.sqltext.classify import is_not_valid

RULE = Rule(
    "attach_scans",
    "warning",
    "ATTACH PARTITION reads the entire partition under ACCESS EXCLUSIVE",
    why="""
PostgreSQL checks every row against the partition bounds; no other session can read or write the partition meanwhile.
If there is a default partition, it is scanned too.
A valid CHECK constraint that implies the partition bounds makes the scan unnecessary.
`healthd lock` measures whether the scan happens.""",
    instead="""
In an earlier migration, run
`ADD CONSTRAINT c CHECK (at >= '2027-01-01' AND at < '2028-01-01' AND at IS NOT NULL) NOT VALID`,
and in the one after it `VALIDATE CONSTRAINT c`. Do the same, with the negated condition, on the default partition.
Drop c afterwards.""",
)

ATTACH = re.compile(
    rf"alter\s+table\s+(?:if\s+exists\s+)?{NAME}\s+attach\s+partition\s+{NAME}", re.IGNORECASE | re.DOTALL
)
PROVES = re.compile(
    rf"alter\s+table\s+(?:if\s+exists\s+)?{NAME}\b.*\b(?:validate\s+constraint|add\s+(?:constraint\s+\S+\s+)?check)\b",
    re.IGNORECASE | re.DOTALL,
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each ATTACH of a table that existed before and for which the file adds or validates no constraint."""
    yield from confirmed(source, _guessed(source), lambda step: bool(step.scans))


def _guessed(source: Source) -> Iterator[tuple[Linted, str]]:
    proven = {
        table(match[1]) for one in source.every if (match := PROVES.match(one.code)) and not is_not_valid(one.code)
    }
    for one in source.every:
        match = ATTACH.match(one.code)
        if match and table(match[2]) not in source.new | proven:
            yield one, f"scans all of {match[2]} under ACCESS EXCLUSIVE, unless a valid CHECK implies its bounds"

"""Something gets another name while programs use the old one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told, alterations

RULE = Rule(
    "rename_breaks",
    "warning",
    "Something gets another name while programs use the old one",
    why="""
From one moment to the next the old name is gone, and the version that runs fails.""",
    instead="""
A view under the old name, or a new column that a trigger keeps equal, until nobody uses the old one.""",
)

RENAMES = re.compile(r"rename\s+(?!constraint\b)(?:column\s+)?(?:\S+\s+)?to\s+(\S+)", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each rename of a table or a column by a migration."""
    for one, name, rest in alterations(source) if not source.is_rollback else ():
        if match := RENAMES.match(rest):
            yield one, f"programs that still run look for the old name: {name} … TO {match[1]}"

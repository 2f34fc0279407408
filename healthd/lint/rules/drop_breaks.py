"""Something is dropped that running programs may use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told, alterations

RULE = Rule(
    "drop_breaks",
    "warning",
    "Something is dropped that running programs may use",
    why="""
The version of the application that runs while the migration is applied still reads it.""",
    instead="""
Expand first: let a release that no longer uses it go out, then drop it in a later migration.""",
)

DROPS = re.compile(r"drop\s+(?:table|materialized\s+view|view|type|schema)\b", re.IGNORECASE)
COLUMN = re.compile(
    r"\bdrop\s+(?!constraint\b|default\b|not\b|identity\b|expression\b)(?:column\s+)?(?:if\s+exists\s+)?(\S+)",
    re.IGNORECASE,
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each DROP of a relation, type, schema or column by a migration, which a rollback may well do."""
    if source.is_rollback:
        return
    for one in source.statements:
        if match := DROPS.match(one.code):
            yield one, f"{' '.join(match[0].upper().split())}: programs that still run may use it"
    for one, name, rest in alterations(source):
        for match in COLUMN.finditer(rest):
            yield one, f"programs that still run may use {name}.{match[1].rstrip(',;')}"

"""An index that may stay invalid."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told

RULE = Rule(
    "invalid_index_kept",
    "warning",
    "An index that may stay invalid",
    why="""
CREATE INDEX CONCURRENTLY that fails leaves an invalid index behind; IF NOT EXISTS then takes it for done.""",
    instead="""
Leave IF NOT EXISTS out, or `DROP INDEX CONCURRENTLY IF EXISTS` in the file before.""",
)

KEPT = re.compile(r"create\s+(?:unique\s+)?index\s+concurrently\s+if\s+not\s+exists\b", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each CREATE INDEX CONCURRENTLY IF NOT EXISTS."""
    for one in source.statements:
        if KEPT.match(one.code):
            yield one, "IF NOT EXISTS takes an invalid index for done"

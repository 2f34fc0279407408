"""An index that may remain invalid."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source

RULE = Rule(
    "invalid_index_kept",
    "warning",
    "An index that may remain invalid",
    why="""
If CREATE INDEX CONCURRENTLY fails, it leaves an invalid index. On the next attempt IF NOT EXISTS finds that index and
does not build it again.""",
    instead="""
Omit IF NOT EXISTS, or run `DROP INDEX CONCURRENTLY IF EXISTS` in the preceding file.""",
)

KEPT = re.compile(r"create\s+(?:unique\s+)?index\s+concurrently\s+if\s+not\s+exists\b", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each CREATE INDEX CONCURRENTLY IF NOT EXISTS."""
    for one in source.statements:
        if KEPT.match(one.code):
            yield one, "IF NOT EXISTS keeps an invalid index of a failed attempt"

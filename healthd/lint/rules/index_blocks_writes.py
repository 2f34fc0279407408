"""An index built under a lock that blocks writes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.expected.measurements import MODES, strongest
from healthd.lint.source import NAME, Linted, Rule, Source, table

RULE = Rule(
    "index_blocks_writes",
    "warning",
    "An index built under a lock that blocks writes",
    why="""
CREATE INDEX holds a SHARE lock on its table during the entire build, which blocks all writes.""",
    instead="""
Use `CREATE INDEX CONCURRENTLY`, in a separate file with `-- transactional: false`.""",
)

INDEX = re.compile(rf"create\s+(?:unique\s+)?index\s+(?!concurrently\b).*?\bon\s+{NAME}", re.IGNORECASE | re.DOTALL)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each CREATE INDEX without CONCURRENTLY on a table that existed before."""
    for one, words in _guessed(source):
        # A lock that the file holds already, and that is as strong, is not taken again.
        held = strongest(step for step in source.steps or () if step.line <= one.statement.line)
        if source.measured(one) is None or any(MODES.index(mode) >= MODES.index("SHARE") for mode in held.values()):
            yield one, words


def _guessed(source: Source) -> Iterator[tuple[Linted, str]]:
    for one in source.statements:
        match = INDEX.match(one.code)
        if match and table(match[1]) not in source.new:
            yield one, f"blocks writes to {match[1]} until the index is built"

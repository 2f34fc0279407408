"""No rollback."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told

RULE = Rule(
    "missing_rollback",
    "warning",
    "No rollback",
    why="""
What cannot be undone at three in the morning must be known beforehand.""",
    instead="""
Write `NAME.rollback.sql`; where nothing can be undone, let it say so: `DO $$ BEGIN RAISE EXCEPTION '…'; END $$`.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield the file when it has no rollback."""
    if not source.is_rollback and not source.has_rollback and source.first:
        yield None, "no rollback beside it"

"""No rollback."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source

RULE = Rule(
    "missing_rollback",
    "warning",
    "No rollback",
    why="""
Without a rollback the migration cannot be undone. This must be known before it is applied, not during an incident.""",
    instead="""
Write `NAME.rollback.sql`. If the migration cannot be undone, let the rollback fail with a message:
`DO $$ BEGIN RAISE EXCEPTION '…'; END $$`.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield the file when it has no rollback."""
    if not source.is_rollback and not source.has_rollback and source.first:
        yield None, "the migration has no rollback file"

"""A rollback without its migration."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told

RULE = Rule(
    "rollback_of_nothing",
    "error",
    "A rollback without its migration",
    why="""
The file that it undoes was deleted or renamed; a database that has applied it cannot be rolled back.""",
    instead="""
Bring the migration's file back, or rename its rollback too, or take that away.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield a rollback whose migration is not there."""
    if source.is_rollback and not source.applies:
        yield None, "undoes a migration that is not there"

"""A rollback without its migration."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source

RULE = Rule(
    "rollback_of_nothing",
    "error",
    "A rollback without its migration",
    why="""
The migration's file was deleted or renamed. A database that has applied the migration cannot roll it back.""",
    instead="""
Restore the migration's file, or rename the rollback in the same way, or delete the rollback.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield a rollback whose migration does not exist."""
    if source.is_rollback and not source.applies:
        yield None, "this rollback has no migration"

"""A rollback that fails."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source

RULE = Rule(
    "rollback_fails",
    "error",
    "A rollback that fails",
    why="""
`healthd lock` has run the rollback on the scratch server: it failed, so the migration cannot be undone.""",
    instead="""
Fix the rollback, then run `healthd lock`.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield a rollback that the lock file records as failing."""
    if source.is_rollback and source.verdict == "fails":
        yield None, "the rollback fails (tested by healthd lock)"

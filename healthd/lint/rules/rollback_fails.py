"""A rollback that fails."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told

RULE = Rule(
    "rollback_fails",
    "error",
    "A rollback that fails",
    why="""
The replay has tried it: it ends with an error, so the migration cannot be undone.""",
    instead="""
Mend the rollback, then `healthd lock`.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield a rollback that the lock file has seen failing."""
    if source.is_rollback and source.verdict == "fails":
        yield None, "fails (healthd lock has tried it)"

"""A rollback that does not bring back what was there."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told

RULE = Rule(
    "rollback_differs",
    "warning",
    "A rollback that does not bring back what was there",
    why="""
The replay has proven it: after the rollback the schema is another than before the migration.""",
    instead="""
`sql/schema.lock` names the objects in `rollback_differences`. Mend the rollback, then `healthd lock`.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield a rollback that the lock file calls inexact."""
    if source.is_rollback and source.verdict == "differs":
        yield None, "does not bring back exactly what was there (healthd lock has proven it)"

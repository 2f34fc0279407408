"""A rollback that does not restore the previous schema."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source

RULE = Rule(
    "rollback_differs",
    "warning",
    "A rollback that does not restore the previous schema",
    why="""
`healthd lock` has run the rollback on the scratch server: the schema after it differs from the schema before the
migration.""",
    instead="""
See `rollback_differences` in `sql/schema.lock` for the objects. Fix the rollback, then run `healthd lock`.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield a rollback that the lock file records as inexact."""
    if source.is_rollback and source.verdict == "differs":
        yield None, "the rollback does not restore the previous schema exactly (tested by healthd lock)"

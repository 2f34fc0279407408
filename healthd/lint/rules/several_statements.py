"""Several statements in a file that does not run in a transaction."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source

RULE = Rule(
    "several_statements",
    "warning",
    "Several statements in a file that does not run in a transaction",
    why="""
If the second statement fails, the first is already committed: the migration is applied only partly.""",
    instead="""
Put one statement in each file that has `-- transactional: false` at its top.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield the second statement of a file that runs statement by statement."""
    if not source.transactional and len(source.statements) > 1:
        yield source.statements[1], f"{len(source.statements)} statements, each committed separately"

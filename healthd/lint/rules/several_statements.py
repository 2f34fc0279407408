"""Several statements in a file that is no transaction."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told

RULE = Rule(
    "several_statements",
    "warning",
    "Several statements in a file that is no transaction",
    why="""
When the second fails, the first is in: the database is half-way.""",
    instead="""
One statement a file where `-- transactional: false` stands at the top.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield the second statement of a file that runs statement by statement."""
    if not source.transactional and len(source.statements) > 1:
        yield source.statements[1], f"{len(source.statements)} statements, each committed by itself"

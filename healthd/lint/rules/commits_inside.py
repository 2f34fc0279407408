"""A DO block that commits, in a file that is one transaction."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told
from healthd.sqltext.classify import committing, ends_inside

RULE = Rule(
    "commits_inside",
    "error",
    "A DO block that commits, in a file that is one transaction",
    why="""
COMMIT or ROLLBACK in PL/pgSQL fails with 2D000 when the block runs in a transaction that was begun outside of it.""",
    instead="""
Put the block into a file of its own, with `-- transactional: false` at its top.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield a DO, or a CALL of a procedure of the same file, that commits."""
    if source.transactional and (line := ends_inside(source.text, committing(source.text))):
        yield next(one for one in source.statements if one.statement.line == line), "commits by itself"

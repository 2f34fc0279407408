"""A DO block that commits, in a transactional file."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source
from healthd.sqltext.classify import committing, ends_inside

RULE = Rule(
    "commits_inside",
    "error",
    "A DO block that commits, in a transactional file",
    why="""
COMMIT or ROLLBACK in PL/pgSQL fails (2D000) if the transaction was started outside of the block.""",
    instead="""
Put the block into a separate file, with `-- transactional: false` at its top.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield a DO that commits, or a CALL of a procedure of the same file that commits."""
    if source.transactional and (line := ends_inside(source.text, committing(source.text))):
        yield next(one for one in source.statements if one.statement.line == line), "ends its transaction itself"

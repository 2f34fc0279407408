"""A statement that a migration cannot have."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told
from healthd.sqltext.statements import trouble

RULE = Rule(
    "cannot_run",
    "error",
    "A statement that a migration cannot have",
    why="""
psql's own commands, COPY from or to the client, and BEGIN or COMMIT in a file that is one transaction already:
`migrate` refuses such a file before anything runs.""",
    instead="""
Take BEGIN and COMMIT out, write INSERT for COPY, and SQL for psql's commands.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield the first statement for which `migrate` would refuse the file."""
    if found := trouble(source.text, transactional=source.transactional):
        line, words, cure = found
        before = [one for one in source.statements if one.statement.line <= line]
        yield before[-1] if before else None, f"{words}: {cure}"

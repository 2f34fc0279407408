"""A statement that is not allowed in a migration."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source
from healthd.sqltext.statements import trouble

RULE = Rule(
    "cannot_run",
    "error",
    "A statement that is not allowed in a migration",
    why="""
A migration cannot contain psql meta-commands, COPY FROM STDIN or COPY TO STDOUT.
A transactional file cannot contain BEGIN or COMMIT: healthd runs it in a transaction.
`healthd migrate` refuses such a file before anything runs.""",
    instead="""
Remove BEGIN and COMMIT, use INSERT instead of COPY, and SQL instead of psql meta-commands.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield the first statement for which `migrate` would refuse the file."""
    if found := trouble(source.text, transactional=source.transactional):
        line, words, cure = found
        before = [one for one in source.statements if one.statement.line <= line]
        yield before[-1] if before else None, f"{words}: {cure}"

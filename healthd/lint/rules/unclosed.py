"""An unterminated quote or comment."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source
from healthd.sqltext.statements import unclosed

RULE = Rule(
    "unclosed",
    "error",
    "An unterminated quote or comment",
    why="""
The quote or comment extends to the end of the file. The server rejects an unterminated string or identifier;
statements inside an unterminated comment would silently never run.
`healthd migrate` refuses such a file before anything runs.""",
    instead="""
Terminate it. In a string, write `''` for one quote. Comments nest, so each `/*` needs its own `*/`.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield the statement in which it begins, or the file, with the line on which it begins."""
    if found := unclosed(source.text):
        line, words = found
        before = [one for one in source.statements if one.statement.line <= line]
        yield before[-1] if before else None, f"{words} that begins on line {line} is not terminated"

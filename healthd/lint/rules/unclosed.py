"""A quote or a comment that never ends."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told
from healthd.sqltext.statements import unclosed

RULE = Rule(
    "unclosed",
    "error",
    "A quote or a comment that never ends",
    why="""
It swallows the rest of the file: the server refuses a string or a name that is not closed, and what stands behind the
beginning of a comment would silently never run. `migrate` refuses such a file before anything runs.""",
    instead="""
Close it. In a string, `''` is one quote; comments nest, so each `/*` needs its own `*/`.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield the statement in which it begins, or the file, with the line on which it does."""
    if found := unclosed(source.text):
        line, words = found
        before = [one for one in source.statements if one.statement.line <= line]
        yield before[-1] if before else None, f"{words} begins on line {line}, and never ends"

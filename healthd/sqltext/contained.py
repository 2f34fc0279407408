"""Statements that another statement contains and runs: in a DO, an EXECUTE, an EXPLAIN ANALYZE, a PREPARE, a COPY."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.sqltext.classify import OFF
from healthd.sqltext.do_blocks import placed, statements_of, strings, unquoted
from healthd.sqltext.statements import OPENING, Statement

FLAGS = re.IGNORECASE | re.DOTALL
# What comes before the contained statement, which is the rest.
PREFIXES = (
    re.compile(
        rf"explain\s+analy[sz]e\s+(?:verbose\s+)?|explain\s*\((?=[^)]*\banaly[sz]e\b(?!{OFF}))[^)]*\)\s*", FLAGS
    ),
    re.compile(r"prepare\s+(?:[\w$]+|\"[^\"]+\")\s*(?:\([^)]*\)\s*)?as\s+", FLAGS),
    re.compile(r"create\s+(?:\w+\s+)*?table\b.*?\bas\s+(?=with\b)", FLAGS),  # the only CREATE whose WITH may write
)
COPIES = re.compile(r"copy\s*\(\s*", FLAGS)
EXECUTES = re.compile(r"execute\s+((?:(?:pg_catalog\s*\.\s*)?format\s*\(\s*)?)(?=')", FLAGS)
COMPLETE = re.compile(r"\s*(?:$|(?:into|using)\b)", re.IGNORECASE)
ARGUMENTS = re.compile(r"\s*[,)]")
# In a text of format(), these are names and values; what %s stands for is not known.
NAMED = re.compile(r"%((?:[0-9]+\$)?[IL])")


def contained(one: Statement) -> Iterator[Statement]:
    """Yield the statements that a statement contains and runs, and those in them, each with its place in the file.

    The text of an EXECUTE in PL/pgSQL is read if it is one string, or one of format() without %s.
    """
    for inner in _directly(one):
        yield inner
        yield from contained(inner)


def _directly(one: Statement) -> Iterator[Statement]:
    yield from statements_of(one)
    code = one.code
    for prefix in PREFIXES:
        if found := prefix.match(code):
            yield placed(one, found.end(), len(code))
    if found := COPIES.match(code):
        yield placed(one, found.end(), _closing(code, found.end()))
    if found := EXECUTES.match(code):
        yield from _executed(one, code, found)


def _closing(code: str, place: int) -> int:
    """Return where the parenthesis ends that was opened before this place."""
    depth = 1
    for end in range(place, len(code)):
        depth += {"(": 1, ")": -1}.get(code[end], 0)
        if not depth:
            return end
    return len(code)


def _executed(one: Statement, code: str, found: re.Match[str]) -> Iterator[Statement]:
    """Yield the statement in the string of an EXECUTE, unless more is appended to it."""
    start, end = next(((start, end) for start, end in strings(one.text) if start == found.end()), (0, 0))
    follows = ARGUMENTS if found[1] else COMPLETE
    if not end or not follows.match(code, end):
        return
    opening = OPENING.match(one.text, start)
    size = len(opening[0]) if opening else 1
    inside = one.text[start + size : end - size]
    inside = NAMED.sub(r"_\1", inside if opening else unquoted(inside))
    if not (found[1] and "%" in inside.replace("%%", "")):
        yield placed(one, start + size, end - size, one.text[: start + size] + inside + one.text[end - size :])

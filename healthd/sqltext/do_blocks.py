"""The code inside the dollar quotes of a statement: that of a DO, and of a routine."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.sqltext.statements import OPENING, Statement, blanked, past_quote

GAP = re.compile(r"\s*")
DOES = re.compile(r"do\b", re.IGNORECASE)
# What stands in PL/pgSQL between the end of one statement and the first word of the next one.
BEFORE = re.compile(
    r"""\s*(?: <<\s*\w+\s*>> | (?:declare|begin|else|loop|exception)\b
           | (?:if|elsif|elseif|when)\b[^;]*?\bthen\b | (?:for|foreach|while)\b[^;]*?\bloop\b
           | case\b[^;]*?\bthen\b )""",
    re.IGNORECASE | re.VERBOSE,
)


def body(text: str) -> str:
    """Return a statement of the same shape with the text in its first dollar quotes as `blanked` code, and only that.

    Without dollar quotes the whole statement is returned, `blanked`.
    """
    for quote in re.finditer(r"\$", text):
        if opening := OPENING.match(text, quote.start()):
            end = past_quote(text, quote.start())
            inside = blanked(text[opening.end() : end - len(opening[0])])
            return re.sub(r"[^\n]", " ", text[: opening.end()]) + inside
    return blanked(text)


def statements_of(one: Statement) -> Iterator[Statement]:
    """Yield the statements of a DO in PL/pgSQL, each with its place in the file; nothing for any other statement."""
    if not DOES.match(one.text):
        return
    code, place = body(one.text), 0
    while place < len(code):
        while before := BEFORE.match(code, place):
            place = before.end()
        place = GAP.match(code, place).end()  # type: ignore[union-attr] # it matches "" too
        end = code.find(";", place)
        end = len(code) if end < 0 else end
        if place < end:
            yield _placed(one, place, end)
        place = end + 1


def _placed(one: Statement, start: int, end: int) -> Statement:
    """Return a part of a statement as a statement of its own."""
    lines, first = one.text.count("\n", 0, start), one.text.rfind("\n", 0, start) + 1
    column = start - first + 1 if lines else one.column + start
    return Statement(one.line + lines, one.text[start:end], column, one.start + start, one.conforming)

"""The code inside the quotes of a statement: that of a DO, and of a routine."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.sqltext.statements import OPENING, Statement, blanked, past_quote, quotes

GAP = re.compile(r"\s*")
TWICE = re.compile("(?:'')+")
FILLED = re.compile(r"[^\n]")
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

    The code of a DO may be in plain quotes. Without such code the whole statement is returned, `blanked`.
    """
    for quote in re.finditer(r"\$", text):
        if opening := OPENING.match(text, quote.start()):
            end = past_quote(text, quote.start())
            inside = blanked(text[opening.end() : end - len(opening[0])])
            return FILLED.sub(" ", text[: opening.end()]) + inside
    if DOES.match(text) and (code := _plain(text)):
        start, end = code
        return FILLED.sub(" ", text[:start]) + blanked(unquoted(text[start:end]))
    return blanked(text)


def _plain(text: str) -> tuple[int, int] | None:
    """Return where the code of a DO in plain quotes begins and ends: it is the longest text in quotes."""
    return max(((start + 1, end - 1) for start, end in strings(text)), key=lambda one: one[1] - one[0], default=None)


def strings(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each string in plain or dollar quotes begins and ends; a quote that is written twice ends none."""
    begin, last = 0, 0
    for start, end in quotes(text):
        if last and start != last:
            yield begin, last
        if text[start] in "-/":
            last = 0
            continue
        begin, last = begin if last == start else start, end
    if last:
        yield begin, last


def unquoted(text: str) -> str:
    """Return what is between plain quotes as a text of the same length: quotes inside of it are written twice there."""
    return TWICE.sub(lambda found: " " * (len(found[0]) // 2) + found[0][: len(found[0]) // 2], text)


def statements_of(one: Statement) -> Iterator[Statement]:
    """Yield the statements of a DO in PL/pgSQL, each with its place in the file; nothing for any other statement."""
    if not DOES.match(one.text):
        return
    code, place = body(one.text), 0
    text = one.text if OPENING.search(one.text) else unquoted(one.text)
    while place < len(code):
        while before := BEFORE.match(code, place):
            place = before.end()
        place = GAP.match(code, place).end()  # type: ignore[union-attr] # it matches "" too
        end = code.find(";", place)
        end = len(code) if end < 0 else end
        if place < end:
            yield placed(one, place, end, text)
        place = end + 1


def placed(one: Statement, start: int, end: int, text: str | None = None) -> Statement:
    """Return a part of a statement as a statement of its own; `text` is that of the statement, as it is read."""
    lines, first = one.text.count("\n", 0, start), one.text.rfind("\n", 0, start) + 1
    column = start - first + 1 if lines else one.column + start
    return Statement(one.line + lines, (text or one.text)[start:end], column, one.start + start, one.conforming)

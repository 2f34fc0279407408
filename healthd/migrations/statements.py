"""Where the statements of an SQL file begin, told as psql tells it: by quotes, comments and parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# What may hold a semicolon that ends nothing; comments are closed by hand, because they nest.
MARK = re.compile(
    r"""(?=[-/eE'"$();bBcC])(?:
          --[^\n\r]*
        | /\*
        | (?<![\w$])[eE]'(?:[^'\\]++|\\.|'')*+'?
        | '[^']*+'?
        | "[^"]*+"?
        | (?<![\w$])\$(?:[A-Za-z_\x80-\U0010ffff][0-9A-Za-z_\x80-\U0010ffff]*)?\$
        | [();]
        | (?<![\w$])(?:begin|case|end)(?![\w$]))""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
COMMENT = re.compile(r"/\*|\*/")
FIRST = re.compile(r"(?:\s|--[^\n\r]*)*+")
ROUTINE = re.compile(r"create\s+(?:or\s+replace\s+)?(?:function|procedure)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon, and the line of the file on which it begins."""

    line: int
    text: str


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a file; comments between them belong to none."""
    line, counted = 1, 0
    for start, end in _spans(text):
        line += text.count("\n", counted, start)
        counted = start
        yield Statement(line, text[start:end])


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = place = _first(text, 0)
    depth = blocks = 0
    while mark := MARK.search(text, place):
        place, word = mark.end(), mark[0].lower()
        if word == "/*":
            place = _past_comment(text, place)
        elif word[0] == "$":
            end = text.find(mark[0], place)
            place = len(text) if end < 0 else end + len(word)
        elif word in "()":
            depth = max(0, depth + (1 if word == "(" else -1))
        elif word in ("begin", "case", "end"):
            # Only the body of BEGIN ATOMIC … END has semicolons of its own.
            if ROUTINE.match(text, start):
                blocks = max(0, blocks + (-1 if word == "end" else 1 if word == "begin" or blocks else 0))
        elif word == ";" and not depth and not blocks:
            if start < mark.start():
                yield start, mark.start()
            start = place = _first(text, place)
    if text[start:].strip():
        yield start, len(text)


def _first(text: str, place: int) -> int:
    """Return where the next statement begins, past blanks and comments."""
    while True:
        place = FIRST.match(text, place).end()  # type: ignore[union-attr] # it matches the empty text too
        if not text.startswith("/*", place):
            return place
        place = _past_comment(text, place + 2)


def _past_comment(text: str, place: int) -> int:
    depth = 1
    while depth and (mark := COMMENT.search(text, place)):
        place = mark.end()
        depth += 1 if mark[0] == "/*" else -1
    return place if not depth else len(text)


CONTROL = re.compile(
    r"(?:begin|start\s+transaction|commit|end|abort|prepare\s+transaction"
    r"|rollback(?!\s+(?:work\s+|transaction\s+)?to\b))\b",
    re.IGNORECASE,
)
COPY = re.compile(r"copy\b.*\b(?:from\s+stdin|to\s+stdout)\b", re.IGNORECASE | re.DOTALL)


def trouble(text: str, *, transactional: bool) -> tuple[int, str, str] | None:
    """Return line, words and cure of the first statement that a migration cannot have; None when it may run."""
    for one in statements(text):
        if match := CONTROL.match(one.text) if transactional else None:
            word = " ".join(match[0].upper().split())
            return one.line, f"{word} in a file that is one transaction already", "take BEGIN and COMMIT out of it"
        if COPY.match(one.text):
            return one.line, "COPY from or to the client, which psql alone can do", "write INSERT"
        if one.text.startswith("\\"):
            return one.line, "a command of psql, not SQL", "write SQL, or run the file with psql"
    return None

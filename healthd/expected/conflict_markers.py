"""A text in which a merge left conflict markers, and the two sides of it."""

from __future__ import annotations

import re

MARKER = re.compile(rb"([<|=>])\1{6,}(?=[ \r\n]|\Z)")
FIRST = re.compile(rb"^<{7,}(?=[ \r\n]|\Z)", re.MULTILINE)
LAST = re.compile(rb"^>{7,}(?=[ \r\n]|\Z)", re.MULTILINE)

Texts = tuple[bytes, bytes]  # of ours and theirs, as git calls them


def conflict_line(text: bytes) -> int | None:
    """Return the line, counted from 1, on which a text has its first conflict marker; None without a conflict."""
    first = FIRST.search(text)
    if first is None or LAST.search(text, first.end()) is None:
        return None
    return text.count(b"\n", 0, first.start()) + 1


def sides(text: bytes) -> Texts:
    """Return a text with conflict markers as each side has it; what is common to both stays.

    Markers have the length of the first one: those of the ancestor's own conflicts (diff3) are longer.
    """
    ours: list[bytes] = []
    theirs: list[bytes] = []
    into: tuple[list[bytes], ...] = (ours, theirs)
    opening = 0  # the length of the marker that began the conflict that this line is part of
    for line in text.splitlines(keepends=True):
        marker = MARKER.match(line)
        length = len(marker[0]) if marker else 0
        kind = line[:1] if marker and length == (opening or length) else b""
        if kind == b"<" and not opening:
            opening, into = length, (ours,)
        elif kind == b"|" and opening:
            into = ()
        elif kind == b"=" and opening:
            into = (theirs,)
        elif kind == b">" and opening:
            opening, into = 0, (ours, theirs)
        else:
            for side in into:
                side.append(line)
    return b"".join(ours), b"".join(theirs)

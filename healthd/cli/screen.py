"""Lines at a terminal: aligned, wrapped to its width, and coloured. Everywhere else they stay as they are."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import IO, Any

import click

from healthd.model.severity import Severity
from healthd.report.lines import GAP, Line

COLOURS = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.CRITICAL: "red", Severity.UNKNOWN: "magenta"}
LEAST, MOST = 20, 200  # columns: narrower would be a column of syllables, wider is hard to read
NARROW = 30  # what is left of a line for its last column; with less, it begins on a line of its own
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a text is shown: how wide it is, and whether it has colours."""

    width: int
    coloured: bool

    def paint(self, text: str, **style: Any) -> str:
        """Return a text with a style of click; unchanged without colours."""
        return click.style(text, **style) if self.coloured and style and text else text

    def wrap(self, text: str, first: str = "", others: str | None = None) -> list[str]:
        """Return the lines of a paragraph; the first begins with `first`, which may be shorter than the others."""
        indent = " " * len(first) if others is None else others
        return textwrap.wrap(
            text,
            self.width,
            initial_indent=first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [first.rstrip()]


def screen_of(stream: IO[str]) -> Screen | None:
    """Return the terminal that a stream leads to; None if it leads elsewhere.

    NO_COLOR removes the colours. FORCE_COLOR treats anything as a terminal, for one that stands behind a pipe.
    """
    forced = bool(os.environ.get("FORCE_COLOR"))
    if not (forced or stream.isatty()):
        return None
    columns = shutil.get_terminal_size().columns
    bare = bool(os.environ.get("NO_COLOR")) or (os.environ.get("TERM") == "dumb" and not forced)
    return Screen(min(max(columns, LEAST), MOST), coloured=not bare)


def here() -> Screen | None:
    """Return the terminal that stdout leads to; None if it leads elsewhere."""
    return screen_of(sys.stdout)


def shown(lines: Sequence[Line], screen: Screen) -> str:
    """Return lines as a terminal shows them."""
    widths = _widths(lines)
    return "\n".join(text for line in lines for text in _shown(line, widths, screen))


def _widths(lines: Iterable[Line]) -> list[int]:
    """Return how wide each column is; the last cell of a line belongs to none."""
    columns = zip_longest(*(line.cells[:-1] for line in lines), fillvalue="")
    return [max(map(len, column)) for column in columns]


def _shown(line: Line, widths: Sequence[int], screen: Screen) -> Iterator[str]:
    *cells, last = line.cells
    if line.exact:
        yield str(line)
        return
    if not cells:
        indent = last[: len(last) - len(last.lstrip())]
        wrapped = screen.wrap(last.strip(), indent, indent + INDENT)
        yield from (_painted(wrapped[0], line.marked, 0, line, screen), *wrapped[1:])
        return
    head = GAP.join([*(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)), ""])
    wrapped = screen.wrap(last, head)
    if screen.width - len(head) < NARROW and len(wrapped) > 1:
        wrapped = [head.rstrip(), *screen.wrap(last, INDENT)]
    yield _painted(wrapped[0], line.marked or line.cells[1], widths[0] + len(GAP), line, screen)
    yield from wrapped[1:]


def _painted(text: str, word: str, start: int, line: Line, screen: Screen) -> str:
    """Return a text with a word in the colour of a line's severity; `start` is where to look for the word."""
    start = text.find(word, start)
    if line.severity is None or not word or start < 0:
        return text
    strong = line.severity in (Severity.CRITICAL, Severity.UNKNOWN)
    painted = screen.paint(word, fg=COLOURS[line.severity], bold=strong)
    return f"{text[:start]}{painted}{text[start + len(word) :]}"

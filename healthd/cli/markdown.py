"""Markdown at a terminal: the subset in which the runbook is written, without its marks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile, zip_longest
from typing import Any

from healthd.cli.screen import INDENT, Screen

FENCE = re.compile(r"^ *```")
HEADING = re.compile(r"^#+ +(.*)")
ITEM = re.compile(r"^( *(?:[-*]|[0-9]+\.) +)(.*)")
ROW = re.compile(r"^ *\|(.*)\| *$")
RULE = re.compile(r"^[ |:-]+$")
MARK = re.compile(
    r"(?P<code>`[^`]+`)|\*\*(?P<strong>.+?)\*\*|(?<!\w)\*(?P<stressed>[^*\s][^*]*)\*(?!\w)|\[(?P<label>[^]]+)]\((?P<address>[^)\s]+)\)"
)
MOST = 100  # columns: longer lines of prose are hard to read
STYLES: dict[str, dict[str, Any]] = {
    "code": {"fg": "cyan"},
    "strong": {"bold": True},
    "stressed": {"italic": True},
    "": {},
}
KEPT = "\N{NO-BREAK SPACE}"  # a blank in code, which is not wrapped: it is there to be copied


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without its marks, and the name of a style for each of its letters."""

    text: str
    styles: tuple[str, ...]

    def painted(self, start: int, end: int | None, screen: Screen) -> str:
        """Return a part of the text with its styles."""
        runs = groupby(zip(self.text[start:end], self.styles[start:end], strict=True), lambda one: one[1])
        parts = (screen.paint("".join(letter for letter, _ in run), **STYLES[style]) for style, run in runs)
        return "".join(parts).replace(KEPT, " ")


def rendered(text: str, screen: Screen) -> str:
    """Return Markdown as a terminal shows it: headings bold, code indented, tables in columns, paragraphs wrapped."""
    return "\n".join(_blocks(text.split("\n"), Screen(min(screen.width, MOST), screen.coloured)))


def _blocks(lines: Sequence[str], screen: Screen) -> Iterator[str]:
    while lines:
        first = lines[0]
        if FENCE.match(first):
            code = list(takewhile(lambda line: not FENCE.match(line), lines[1:]))
            yield from (screen.paint(f"{INDENT}{line}".rstrip(), fg="cyan") for line in code)
            count = len(code) + 2
        elif heading := HEADING.match(first):
            yield screen.paint(_marked(heading[1], screen).text.replace(KEPT, " "), bold=True)
            count = 1
        elif ROW.match(first):
            rows = list(takewhile(ROW.match, lines))
            yield from _table(rows, screen)
            count = len(rows)
        elif not first.strip():
            yield ""
            count = 1
        else:
            rest = list(takewhile(lambda line: not _begins(line), lines[1:]))
            yield from _paragraph([first, *rest], screen)
            count = 1 + len(rest)
        lines = lines[count:]


def _begins(line: str) -> bool:
    """Return whether a line does not continue the paragraph or the item before it."""
    return not line.strip() or any(kind.match(line) for kind in (FENCE, HEADING, ITEM, ROW))


def _paragraph(lines: Sequence[str], screen: Screen) -> Iterator[str]:
    """Yield the lines of a paragraph, or of an item, which stands to the right of its mark."""
    item = ITEM.match(lines[0])
    head, first = (item[1], item[2]) if item else ("", lines[0].strip())
    yield from _wrapped(_marked(" ".join([first, *(line.strip() for line in lines[1:])]), screen), head, screen)


def _marked(text: str, screen: Screen) -> Marked:
    """Return a text without its marks; code keeps its own where no colour distinguishes it."""
    parts: list[tuple[str, str]] = []
    last = 0
    for mark in MARK.finditer(text):
        parts.append((text[last : mark.start()], ""))
        last = mark.end()
        if code := mark["code"]:
            parts.append(((code[1:-1] if screen.coloured else code).replace(" ", KEPT), "code"))
        elif style := next((style for style in ("strong", "stressed") if mark[style]), None):
            parts.append((mark[style], style))
        else:
            address = f" ({mark['address']})" if "://" in mark["address"] else ""
            parts.append((f"{mark['label']}{address}", ""))
    parts.append((text[last:], ""))
    return Marked("".join(part for part, _ in parts), tuple(style for part, style in parts for _ in part))


def _wrapped(marked: Marked, head: str, screen: Screen) -> Iterator[str]:
    """Yield the lines of a text: the first behind `head`, the others below it."""
    most = max(screen.width - len(head), 1)
    start = end = 0
    for word in re.finditer("[^ ]+", marked.text):
        if end and word.end() - start > most:
            yield head + marked.painted(start, end, screen)
            head, start = " " * len(head), word.start()
        end = word.end()
    yield head + marked.painted(start, end, screen)


def _table(rows: Sequence[str], screen: Screen) -> Iterator[str]:
    """Yield a table in columns; the last column is wrapped."""
    split = [re.split(r"(?<!\\)\|", row.strip()[1:-1]) for row in rows if not RULE.match(row)]
    cells = [[_marked(cell.strip().replace("\\|", "|"), screen) for cell in row] for row in split]
    widths = [max(len(cell.text) for cell in column if cell) for column in zip_longest(*cells)]
    for number, row in enumerate(cells):
        *firsts, last = row
        parts = (cell.painted(0, None, screen) for cell in firsts)
        pads = (" " * (width - len(cell.text) + 2) for cell, width in zip(firsts, widths, strict=False))
        head = "".join(part + pad for part, pad in zip(parts, pads, strict=True))
        lines = _wrapped(last, " " * sum(width + 2 for width in widths[: len(firsts)]), screen)
        first = next(lines).lstrip() if firsts else next(lines)
        line = f"{head}{first}".rstrip()
        yield screen.paint(line, bold=True) if number == 0 else line
        yield from lines

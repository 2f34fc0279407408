"""The Markdown that all generated pages share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from os.path import relpath
from pathlib import Path

DOCS = Path(__file__).parents[1]
BAR = "\\|"
CODE = re.compile(r"(?<![\w/-])(--[a-z][a-z-]+|__\w+__|\$\{\w+\}|sql/(?:\w+\.\w+)?|yoyo\.ini|HEALTHD_\w+|/metrics)")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a cell may hold any one line."""
    return _row(heads) + "|---" * len(heads) + "|\n" + "".join(map(_row, rows))


def _row(cells: Iterable[str]) -> str:
    return "".join(f"| {' '.join(cell.split()).replace('|', BAR)} " for cell in cells) + "|\n"


def sentences(text: str) -> str:
    """Return a paragraph with one sentence on each line."""
    return re.sub(r"(?<=[.?!]) +(?=[A-Z`*(])", "\n", " ".join(text.split()))


def paragraphs(text: str) -> str:
    """Return the text of a docstring: a sentence a line, and what is laid out in columns as it is."""
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(_block(block) for block in blocks)


def _block(block: str) -> str:
    if block.startswith("\b"):
        return "```text\n" + block.lstrip("\b\n").rstrip() + "\n```"
    return sentences(block)


def code(text: str) -> str:
    """Return a text with options, files and the like as code, where they are not already."""
    pieces = text.split("`")
    pieces[::2] = [CODE.sub(r"`\1`", piece) for piece in pieces[::2]]
    return "`".join(pieces)


def with_links(text: str, folder: str) -> str:
    """Return a page on which `healthd docs NAME` leads to the page."""
    pages = {path.stem: path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}

    def link(match: re.Match[str]) -> str:
        page = pages.get(match[1])
        return f"[{match[0]}]({relpath(page, folder)})" if page else match[0]

    return re.sub(r"`healthd docs ([\w-]+)`", link, text)

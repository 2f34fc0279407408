"""Both directions in one file, divided by comments: dbmate, goose, sql-migrate, tern, rambler, node-pg-migrate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from healthd.importing.placeholders import SUBSTITUTES, substituted
from healthd.importing.records import Files, Found, Reading, code_left, in_order

NAME = re.compile(r"(?P<version>[0-9]+)(?P<name>[^/]*)\.sql$")


@dataclass(frozen=True, slots=True)
class Marks:
    """How one tool divides a file; `alone` matches a line by which the file runs outside of a transaction."""

    down: re.Pattern[str]
    up: re.Pattern[str] | None = None
    alone: re.Pattern[str] | None = None


def _line(words: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*--[ \t]*{words}[^\n]*\n?", re.MULTILINE | re.IGNORECASE)


MARKS: Mapping[str, Marks] = {
    "dbmate": Marks(
        _line(r"migrate:down"), _line(r"migrate:up"), _line(r"migrate:(?:up|down)\s.*transaction:\s*false")
    ),
    "goose": Marks(_line(r"\+goose\s+down"), _line(r"\+goose\s+up"), _line(r"\+goose\s+no\s+transaction")),
    "sql-migrate": Marks(
        _line(r"\+migrate\s+down"), _line(r"\+migrate\s+up"), _line(r"\+migrate\s+(?:up|down)\s+notransaction")
    ),
    "node-pg-migrate": Marks(_line(r"down\s+migration"), _line(r"up\s+migration")),
    "rambler": Marks(_line(r"rambler\s+down"), _line(r"rambler\s+up")),
    "tern": Marks(_line(r"--\s*create\s+above\s*/\s*drop\s+below\s*--+")),
}


def marked(text: str, tool: str) -> bool:
    """Return whether a file has the comments of this tool."""
    marks = MARKS[tool]
    return (marks.up or marks.down).search(text) is not None


def read_sections(files: Files, tool: str) -> Reading:
    """Return the migrations in a folder of files that contain both directions."""
    found, left, alone = list[Found](), code_left(files), MARKS[tool].alone
    for file, text in files.items():
        match = NAME.match(file)
        if match is None:
            if file.endswith(".sql"):
                left[file] = "its name is not that of a migration"
            continue
        apply, rollback = parted(text, tool)
        if rollback is not None and tool == "goose" and _substitutes(text, rollback):
            rollback = SUBSTITUTES + rollback
        transactional = False if alone and alone.search(text) else None
        name, version = match["name"].strip("_.- "), int(match["version"])
        found.append(Found((version,), name, apply, rollback, (file,), transactional, stem=file.removesuffix(".sql")))
    return in_order(found, left)


def parted(text: str, tool: str) -> tuple[str, str | None]:
    """Return the part that applies and the part that rolls back; text above the first mark belongs to its part."""
    marks = MARKS[tool]
    down = marks.down.search(text)
    up = marks.up.search(text) if marks.up else None
    above = text[: up.start()] if up else ""
    if down is None:
        return above + text[up.end() if up else 0 :], None
    if up and down.start() < up.start():
        return text[: down.start()] + text[up.end() :], _unless_blank(text[down.end() : up.start()])
    return above + text[up.end() if up else 0 : down.start()], _unless_blank(text[down.end() :])


def _substitutes(text: str, part: str) -> bool:
    """Return whether goose fills in environment variables where a part of a file begins."""
    place = text.find(part)
    return any(start <= place < end for start, end in substituted(text))


def _unless_blank(text: str) -> str | None:
    return text if text.strip() else None

"""The steps of a non-transactional file: single statements, and groups that are applied completely or not at all."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from healthd.sqltext.classify import Outside, outside
from healthd.sqltext.statements import Statement, blanked, quotes, statements

GAP = r"(?:\s|--[^\n]*\n|/\*.*?\*/)+"  # between two words
BEGIN = re.compile(r"(?:begin|start\s+transaction)\b", re.IGNORECASE)
END = re.compile(
    r"(?:commit|end|abort|prepare\s+transaction|rollback(?!\s+(?:work\s+|transaction\s+)?to\b))\b", re.IGNORECASE
)
COMMIT = re.compile(r"(?:commit|end)\b(?!\s+prepared)", re.IGNORECASE)
# Without modes or options, as around the content of a file.
PLAIN_BEGIN = re.compile(r"(?:begin|start\s+transaction)(?:\s+(?:work|transaction))?\s*$", re.IGNORECASE)
PLAIN_COMMIT = re.compile(r"(?:commit|end)(?:\s+(?:work|transaction))?\s*$", re.IGNORECASE)
PATIENT = re.compile(r"(?:.*\bconcurrently\b|vacuum\b)", re.IGNORECASE | re.DOTALL)
SETTING = re.compile(
    rf"(?:set\b(?!{GAP}(?:local|constraints|transaction)\b)|reset\b|select{GAP}(?:pg_catalog\s*\.\s*)?set_config\b)",
    re.IGNORECASE | re.DOTALL,
)
NUMBER = re.compile(r"(?<![\w$\"])\d[\w.]*")


@dataclass(frozen=True, slots=True)
class Step:
    """What is sent at once: a statement, or a file's own BEGIN … COMMIT.

    `number` is the number of its first statement, counted in the file from 1; `line` is where that statement begins.
    `end` is the statement that ends the file's own transaction, not part of `text`; empty for a single statement.
    """

    number: int
    line: int
    text: str
    end: str = ""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the step."""
        return sha256(f"{self.text};{self.end}".encode()).hexdigest()

    @property
    def alone(self) -> bool:
        """Return whether the server always refuses it inside a transaction block."""
        return not self.end and outside(blanked(self.text)) is Outside.ALWAYS

    @property
    def patient(self) -> bool:
        """Return whether waiting for its locks blocks no other session that reads or writes."""
        return not self.end and bool(PATIENT.match(self.text)) and self.alone

    @property
    def setting(self) -> bool:
        """Return whether it changes only settings of the session, and nothing in the database."""
        return not self.end and bool(SETTING.match(self.text))


@functools.lru_cache(maxsize=2)
def steps(text: str) -> tuple[Step, ...]:
    """Return the steps of a file in order."""
    return tuple(_steps(text))


def _steps(text: str) -> Iterator[Step]:
    inside: list[Statement] = []
    first = 0
    for number, one in enumerate(statements(text), 1):
        if inside:
            if END.match(one.text):
                yield Step(first, inside[0].line, _joined(inside), one.text)
                inside = []
            else:
                inside.append(one)
        elif BEGIN.match(one.text):
            inside, first = [one], number
        else:
            yield Step(number, one.line, one.text)
    if inside:
        yield Step(first, inside[0].line, _joined(inside))


def _joined(parts: list[Statement]) -> str:
    """Return statements as one text in which each is as many lines below the first as in its file."""
    text, line = "", parts[0].line
    for part in parts:
        text += "\n" * (part.line - line) + part.text + ";"
        line = part.line + part.text.count("\n")
    return text


@functools.lru_cache(maxsize=2)
def count(text: str) -> int:
    """Return how many statements a file has."""
    return sum(1 for _ in statements(text))


def excerpt(text: str, length: int = 60) -> str:
    """Return the beginning of a statement in one line, without its string values, which may be confidential."""
    words = " ".join(re.sub(r"'(?:[^']|'')*'?", "'…'", text[: 20 * length]).split())
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"


def without_values(text: str) -> str:
    """Return a statement, which may be cut, without comments, strings and numbers: they may be confidential.

    In which strings a backslash escapes a quote is not known, so nothing after such a pair is returned.
    """
    known, cut, _ = text.partition("\\'")
    parts, place = list[str](), 0
    for start, end in quotes(known):
        parts += NUMBER.sub("…", known[place:start]), " " if known[start] in "-/" else "'…'"
        place = end
    return "".join(parts) + NUMBER.sub("…", known[place:]) + "…" * bool(cut)


def opens_transaction(code: str) -> bool:
    """Return whether a statement (blanked) is a BEGIN without modes."""
    return PLAIN_BEGIN.match(code) is not None


def commits_transaction(code: str) -> bool:
    """Return whether a statement (blanked) is a COMMIT without options."""
    return PLAIN_COMMIT.match(code) is not None

"""Statements that run outside of transactions: which object each one leaves in the catalogs, and what may run again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from healthd.sqltext.classify import is_validation
from healthd.sqltext.statements import blanked
from healthd.sqltext.steps import GAP

# A name without quotes has letters, digits, _, $ and whatever is not ASCII: all but the other characters of ASCII.
# (A range up to the last character would say the same, and take 10 ms to compile wherever case is ignored.)
# U&"…" with an UESCAPE of its own is no name here: what cannot be read must not be taken for another object.
NAME = r'(?:"(?:[^"]|"")+"|[^\x00-#%-/:-@\[-^`{-\x7f]++(?!&))'
PATH = rf"{NAME}(?:\s*\.\s*{NAME})*(?!\s*\.)"
FLAGS = re.IGNORECASE | re.DOTALL
IF_EXISTS = rf"(?:if{GAP}(?:not{GAP})?exists{GAP})?"
CREATE_INDEX = re.compile(
    rf"create{GAP}(?:unique{GAP})?index{GAP}concurrently{GAP}{IF_EXISTS}"
    rf"(?:(?!on\b)({NAME}){GAP})?on{GAP}(?:only{GAP})?({PATH})",
    FLAGS,
)
DROP_INDEX = re.compile(rf"drop{GAP}index{GAP}concurrently{GAP}{IF_EXISTS}({PATH})", FLAGS)
DETACH = re.compile(
    rf"alter{GAP}table{GAP}{IF_EXISTS}(?:only{GAP})?({PATH})\s*\*?{GAP}detach{GAP}partition{GAP}({PATH}){GAP}concurrently",
    FLAGS,
)
MADE = re.compile(rf"(create|drop){GAP}(database|tablespace|subscription){GAP}{IF_EXISTS}({NAME})", FLAGS)
REINDEX = re.compile(r"reindex\b.*\bconcurrently\b", FLAGS)
REPEATABLE = re.compile(
    rf"(?:vacuum|reindex|cluster|alter{GAP}system|discard{GAP}all|alter{GAP}subscription\b.*\brefresh{GAP}publication)\b",
    FLAGS,
)
PIECEWISE = re.compile(r"(?:vacuum|reindex|cluster)\b", FLAGS)
ATOMIC = re.compile(
    rf"(?:checkpoint|alter{GAP}(?:system|subscription|database)|(?:commit|rollback){GAP}prepared|discard{GAP}all)\b",
    FLAGS,
)
ESCAPED = re.compile(r'(?<![\w$])u&"((?:[^"]|"")+)"(?!\s*uescape\b)', re.IGNORECASE)
ESCAPE = re.compile(r"\\(?:(\\)|\+(0[0-9a-f]{5}|10[0-9a-f]{4})|([0-9a-f]{4}))", re.IGNORECASE)
CONCURRENT_INDEX = re.compile(
    r"^((?:create\s+(?:unique\s+)?index|drop\s+index|reindex\b.*?\b(?:index|table|schema)|alter\s+table\b.*)\s+)"
    r"concurrently\b",
    FLAGS,
)
CONCURRENT_DETACH = re.compile(r"(alter\s+table\b.*)\bconcurrently\s*$", FLAGS)


@dataclass(frozen=True, slots=True)
class Trace:
    """The object in the catalogs that shows whether a statement took effect."""

    what: str  # index, dropped, detached, reindexed, database, tablespace or subscription
    values: Mapping[str, str | None]  # its name, and its table if it has one, as the statement writes them
    makes: bool  # the statement creates it, or removes it


def trace(text: str) -> Trace | None:
    """Return what a statement leaves in the catalogs; None if it leaves nothing that can be found again."""
    text = ESCAPED.sub(lambda name: f'"{_unescaped(name[1])}"', blanked(text))
    if found := CREATE_INDEX.match(text):
        return Trace("index", {"name": found[1], "table": found[2]}, makes=True)
    if found := DROP_INDEX.match(text):
        return Trace("dropped", {"name": found[1]}, makes=False)
    if found := DETACH.match(text):
        return Trace("detached", {"table": found[1], "name": found[2]}, makes=False)
    if REINDEX.match(text):
        return Trace("reindexed", {}, makes=True)
    if found := MADE.match(text):
        return Trace(found[2].lower(), {"name": found[3]}, makes=found[1].lower() == "create")
    return None


def _unescaped(name: str) -> str:
    """Return a name that was written as U&"…" as it is written between plain quotes."""
    plain = ESCAPE.sub(lambda found: found[1] or _letter(int(found[2] or found[3], 16)), name)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _letter(code: int) -> str:
    return '""' if chr(code) == '"' else chr(code)


def is_repeatable(text: str) -> bool:
    """Return whether a statement that leaves no trace can run a second time without harm."""
    return REPEATABLE.match(text) is not None


def is_atomic(text: str) -> bool:
    """Return whether the server runs a statement in one transaction of its own: an error undoes all of it."""
    return ATOMIC.match(text) is not None


def is_piecewise(text: str) -> bool:
    """Return whether a statement handles one table or index after the other, and leaves rows and definitions alone."""
    return PIECEWISE.match(text) is not None


def detaches(text: str) -> bool:
    """Return whether a statement detaches a partition CONCURRENTLY."""
    return CONCURRENT_DETACH.match(text) is not None


def blocks_nobody(text: str) -> bool:
    """Return whether a statement, however long it takes and waits, blocks neither reads nor writes."""
    return is_validation(text) or (plain_form(text) is not None and not detaches(text))


def plain_form(text: str) -> str | None:
    """Return a statement without CONCURRENTLY; None if it has no such form."""
    if found := CONCURRENT_DETACH.match(text):
        return found[1]
    plain = CONCURRENT_INDEX.sub(r"\1", text)
    return None if plain == text else plain

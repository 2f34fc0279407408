"""Statements that remove or write the ledger: after them it is unknown, or wrong, what was applied."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from healthd.errors import MigrationFailed
from healthd.model.ledger import BOOKS
from healthd.model.names import folded
from healthd.sqltext.contained import contained
from healthd.sqltext.do_blocks import DOES
from healthd.sqltext.statements import Statement, blanked, statements

CURE = "drop each object by name, and leave the ledger's tables (_yoyo_*, yoyo_lock, _healthd_*) unchanged"
# Most files contain none of these, and need not be split into statements.
LIKELY = re.compile(r"\b(?:schema|owned)\b|yoyo_|_healthd_", re.IGNORECASE)
PART = r'(?:"(?:[^"]|"")+"|[\w$]+)'
NAME = rf"{PART}(?:\s*\.\s*{PART})?"
LIST = rf"({NAME}(?:\s*\*)?(?:\s*,\s*(?:only\s+)?{NAME}(?:\s*\*)?)*)"
SCHEMA = re.compile(rf"drop\s+schema\s+(?:if\s+exists\s+)?{LIST}", re.IGNORECASE)
RENAMED = re.compile(rf"alter\s+schema\s+({PART})\s+rename\b", re.IGNORECASE)
TABLES = (
    ("drops", re.compile(rf"drop\s+table\s+(?:if\s+exists\s+)?{LIST}", re.IGNORECASE)),
    ("empties", re.compile(rf"truncate\s+(?:table\s+)?(?:only\s+)?{LIST}", re.IGNORECASE)),
    ("changes", re.compile(rf"alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?({NAME})", re.IGNORECASE)),
)
# The rows of the log may be written: nothing is concluded from them.
READ = frozenset(BOOKS) - {"_yoyo_log"}
WRITES = (
    ("deletes rows of", re.compile(rf"delete\s+from\s+(?:only\s+)?({NAME})", re.IGNORECASE)),
    ("changes rows of", re.compile(rf"update\s+(?:only\s+)?({NAME})", re.IGNORECASE)),
    ("writes rows of", re.compile(rf"(?:insert|merge)\s+into\s+(?:only\s+)?({NAME})", re.IGNORECASE)),
    ("writes rows of", re.compile(rf"copy\s+({NAME})[^;]*?\bfrom\b", re.IGNORECASE)),
)
STARTS = re.compile(r"(?:with|delete|update|insert|merge|copy)\b", re.IGNORECASE)
OWNED = re.compile(rf"drop\s+owned\s+by\s+{LIST}", re.IGNORECASE)
OURSELVES = frozenset({"current_user", "current_role", "session_user", "user"})
GONE = ("42P01", "3F000")  # undefined table, invalid schema name


def takes_ledger(
    text: str, *, schema: str = "public", role: str = "", inside: bool = False
) -> Iterator[tuple[Statement, str]]:
    """Yield each statement of a file that removes or writes the ledger, and how.

    The ledger is in this schema, and owned by this role. With `inside`, also the statements of a DO, which may depend
    on conditions. The effects of a function are not detected.
    """
    if not LIKELY.search(text):
        return
    for one in statements(text):
        for each in (one, *(contained(one) if inside or not DOES.match(one.text) else ())):
            if words := _words(blanked(each.text), schema, role):
                yield each, words


def _words(code: str, schema: str, role: str) -> str:
    if (match := SCHEMA.match(code)) and schema in _names(match[1]):
        return f"drops schema {schema}, which contains the ledger"
    if (match := RENAMED.match(code)) and schema in _names(match[1]):
        return f"renames schema {schema}, which contains the ledger"
    if (match := OWNED.match(code)) and {*OURSELVES, role} & set(_names(match[1])):
        return "drops everything that the migrating role owns, including the ledger"
    for verb, pattern in TABLES:
        if match := pattern.match(code):
            for name in _names(match[1]):
                if name.removeprefix(f"{schema}.") in BOOKS:
                    return f"{verb} {name}, a table of the ledger"
    return _written(code, schema)


def _written(code: str, schema: str) -> str:
    """Return how a statement writes rows of the ledger, also in its WITH; an empty text when it does not."""
    for verb, pattern in WRITES:
        for match in pattern.finditer(code) if STARTS.match(code) else ():
            for name in _names(match[1]):
                if name.removeprefix(f"{schema}.") in READ:
                    return f"{verb} {name}, a table of the ledger"
    return ""


def _names(names: str) -> Collection[str]:
    """Return names as they are compared: without quotation marks, folded where they have none."""
    found = (re.findall(PART, name) for name in re.findall(NAME, re.sub(r"\bonly\s+", "", names, flags=re.IGNORECASE)))
    return [".".join(folded(part) for part in parts) for parts in found]


def lost(error: Any, name: str, state: str) -> MigrationFailed | None:
    """Return the error about a file that removed the ledger; None when the driver's error has another cause."""
    words = str(error.diag.message_primary or "")
    if error.sqlstate not in GONE or not any(table in words for table in BOOKS):
        return None
    return MigrationFailed(
        f"{name} removes the ledger, so it cannot be recorded: {words} ({error.sqlstate}); {state}", hint=CURE
    )

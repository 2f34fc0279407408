"""What a statement is, as far as that decides how its file must run; texts are `blanked` and so free of comments."""

from __future__ import annotations

import re
from enum import Enum, auto

from healthd.sqltext.statements import nameless, statements

OFF = r"\s*=?\s*(?:false|off|0)\b"
# What PostgreSQL refuses in a transaction, whatever is there; the server of each major is asked by a test.
ALWAYS = re.compile(
    rf"""(?: create\s+(?:unique\s+)?index\s+concurrently
           | drop\s+index\s+concurrently
           | reindex\s+(?:\(.*?\)\s*)?(?:(?:index|table)\s+concurrently|schema|database|system)
           | reindex\s*\([^)]*\bconcurrently\b(?!{OFF})
           | alter\s+table\b.*\bdetach\s+partition\b.*\bconcurrently
           | vacuum
           | cluster(?=(?:\s+verbose|\s*\([^)]*\))?\s*$)
           | (?:create|drop)\s+(?:database|tablespace)
           | alter\s+database\b.*\bset\s+tablespace
           | alter\s+system
           | create\s+subscription\b(?!.*\b(?:create_slot|connect)\b)
           | alter\s+subscription\b.*\b(?: refresh\s+publication
                                          | (?:set|add|drop)\s+publication\b(?!.*\brefresh\b) )
           | (?:commit|rollback)\s+prepared
           | discard\s+all)\b""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
# What it refuses where the table has partitions, or the subscription a slot: that no text can tell.
PERHAPS = re.compile(
    rf"""(?: reindex\s+(?:\(.*?\)\s*)?(?:index|table)
           | cluster
           | create\s+subscription\b(?!.*\b(?:create_slot|connect){OFF})
           | alter\s+subscription\b.*\b(?: (?:set|add|drop)\s+publication\b(?!.*\brefresh{OFF})
                                          | set\s*\([^)]*\b(?:failover|two_phase) )
           | drop\s+subscription )\b""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
NAME = r'(?:[\w$"]+\s*\.\s*)?"?([\w$]+)"?\s*\('
DOES = re.compile(r"do\b", re.IGNORECASE)
CALLED = re.compile(rf"call\s+{NAME}", re.IGNORECASE)
PROCEDURE = re.compile(rf"create\s+(?:or\s+replace\s+)?procedure\s+{NAME}", re.IGNORECASE)
ENDS = re.compile(
    r"(?:;|\b(?:begin|then|else|loop))\s*(?:commit|rollback)(?:\s+and\s+(?:no\s+)?chain)?\s*;", re.IGNORECASE
)
ADDED = re.compile(
    r"""alter\s+type\b.*?\badd\s+value\s+(?:if\s+not\s+exists\s+)?'((?:[^']|'')*)'""", re.IGNORECASE | re.DOTALL
)
# Before these nothing may run in a transaction, and in ours the books are asked first.
FIRST_OF_ALL = re.compile(r"set\s+transaction\b.*\b(?:isolation|deferrable)\b", re.IGNORECASE | re.DOTALL)


class Outside(Enum):
    """Whether PostgreSQL refuses a statement in a transaction; PERHAPS is decided by what is there."""

    NEVER = auto()
    PERHAPS = auto()
    ALWAYS = auto()


def outside(code: str) -> Outside:
    """Return whether PostgreSQL refuses this statement in a transaction: the one place that says so."""
    code = nameless(code).strip()
    if ALWAYS.match(code):
        return Outside.ALWAYS
    return Outside.PERHAPS if PERHAPS.match(code) else Outside.NEVER


def added_label(text: str) -> str | None:
    """Return the label that a statement (not blanked) adds to an enum, as it is quoted; None when it adds none."""
    found = ADDED.match(text)
    return found[1] if found else None


def used_label(text: str) -> tuple[int, str] | None:
    """Return the line on which a file uses a label that it has added itself, and the label; None when it does not."""
    added: list[str] = []
    for one in statements(text):
        if label := added_label(one.text):
            added.append(label)
            continue
        for label in added:
            if f"'{label}'" in one.text:
                return one.line, label
    return None


def committing(text: str) -> frozenset[str]:
    """Return the procedures that a file makes and that commit or roll back, by their names without schema."""
    found = (PROCEDURE.match(one.text) for one in statements(text) if ENDS.search(one.text))
    return frozenset(match[1].lower() for match in found if match)


def ends_inside(text: str, procedures: frozenset[str] = frozenset()) -> int | None:
    """Return the line of a DO, or of a CALL of one of these procedures, that commits or rolls back; else None."""
    for one in statements(text):
        called = CALLED.match(one.text)
        if (called and called[1].lower() in procedures) or (DOES.match(one.text) and ENDS.search(one.text)):
            return one.line
    return None


def comes_first(text: str) -> int | None:
    """Return the line on which a file sets how its transaction is isolated, before which nothing may run; else None."""
    return next((one.line for one in statements(text) if FIRST_OF_ALL.match(one.code)), None)


def stays_outside(text: str) -> bool:
    """Return whether a file holds a statement that PostgreSQL refuses in a transaction."""
    return any(outside(one.code) is Outside.ALWAYS for one in statements(text))

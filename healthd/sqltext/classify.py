"""Classify statements by how their file must run; texts are `blanked`, so they contain no comments."""

from __future__ import annotations

import re
from enum import Enum, auto

from healthd.sqltext.do_blocks import DOES, body
from healthd.sqltext.statements import Statement, blanked, nameless, quotes, statements

OFF = r"\s*=?\s*(?:false|off|0)\b"
# What PostgreSQL always refuses inside a transaction block; a test verifies it on every major version.
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
# What it refuses if the table is partitioned, or the subscription has a slot: the text does not show which.
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
CALLED = re.compile(rf"call\s+{NAME}", re.IGNORECASE)
PROCEDURE = re.compile(rf"create\s+(?:or\s+replace\s+)?procedure\s+{NAME}", re.IGNORECASE)
ENDS = re.compile(
    r"(?:;|\b(?:begin|then|else|loop))\s*(?:commit|rollback)(?:\s+and\s+(?:no\s+)?chain)?\s*;", re.IGNORECASE
)
ADDED = re.compile(
    r"""alter\s+type\b.*?\badd\s+value\s+(?:if\s+not\s+exists\s+)?'((?:[^']|'')*)'""", re.IGNORECASE | re.DOTALL
)
# These must be the first query of a transaction, and in ours the ledger is queried first.
FIRST_OF_ALL = re.compile(r"set\s+transaction\b.*\b(?:isolation|deferrable)\b", re.IGNORECASE | re.DOTALL)

_BLANK = r"(?:\s|/\*.*?\*/|--[^\n]*\n)"
# What stays in a session whatever is reset: settings of extensions and applications, and loaded libraries.
_STAYS = re.compile(
    rf"""\b(?:load{_BLANK}+E?'|set_config\b|set{_BLANK}+(?:(?:session|local){_BLANK}+)?"?\w+"?{_BLANK}*\.)""",
    re.IGNORECASE | re.DOTALL,
)

GROUP = re.compile(r"\([^()]*\)")
# SELECT … INTO, which creates a table; in PL/pgSQL the same words assign to variables.
SELECTS_INTO = re.compile(
    r"""(?:with\b(?:(?!\b(?:insert|merge|update|delete|select)\b).)*)?select\b(?:(?!\b(?:from|select)\b).)*?
        \binto\s+(?!(?:(?:global|local)\s+)?temp(?:orary)?\b)(?:unlogged\s+)?(?:table\s+)?
        ((?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))?)(?!\s*,)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
SETS = re.compile(
    r"""set\s+(?!transaction\b|constraints\b)(?:(?P<local>local)\s+|session\s+)?(?P<name>"[^"]+"|[\w.]+)""",
    re.IGNORECASE,
)
# As a function, or as the view whose rule calls it; not in the body of a routine that is only created.
CONFIGURES = re.compile(r"(?!create\b|alter\b)(?:(?!\bset_config\b).)*\bset_config\s*\(", re.IGNORECASE | re.DOTALL)
VIEWED = re.compile(r"update\s+(?:only\s+)?(?:pg_catalog\s*\.\s*)?pg_settings\b", re.IGNORECASE)
LASTING = re.compile(r"'?(?:f|false|off|no|n|0)'?(?:\s*::\s*\w+)?", re.IGNORECASE)
SOME = "a setting"


class Outside(Enum):
    """Whether PostgreSQL refuses a statement inside a transaction block; for PERHAPS the objects decide."""

    NEVER = auto()
    PERHAPS = auto()
    ALWAYS = auto()


def outside(code: str) -> Outside:
    """Return whether PostgreSQL refuses this statement inside a transaction block: the only place that decides it."""
    code = nameless(code).strip()
    if ALWAYS.match(code):
        return Outside.ALWAYS
    return Outside.PERHAPS if PERHAPS.match(code) else Outside.NEVER


def added_label(text: str) -> str | None:
    """Return the label that a statement (not blanked) adds to an enum, as written in its quotes; None without one."""
    found = ADDED.match(text)
    return found[1] if found else None


def used_label(text: str) -> tuple[int, str] | None:
    """Return the line on which a file uses a label that it adds itself, and the label; None when it does not."""
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
    """Return the procedures that a file creates and that commit or roll back, by their names without schema."""
    found = (PROCEDURE.match(one.text) for one in statements(text) if _ends(one.text))
    return frozenset(match[1].lower() for match in found if match)


def ends_inside(text: str, procedures: frozenset[str] = frozenset()) -> int | None:
    """Return the line of a DO, or of a CALL of one of these procedures, that commits or rolls back; else None."""
    for one in statements(text):
        called = CALLED.match(one.text)
        if (called and called[1].lower() in procedures) or (DOES.match(one.text) and _ends(one.text)):
            return one.line
    return None


def _ends(text: str) -> bool:
    """Return whether the code in a DO or a routine commits or rolls back, whichever quotes it stands in."""
    return ENDS.search(body(text) if "$" in text else text) is not None


def comes_first(text: str) -> int | None:
    """Return the line on which a file sets its isolation level, which must come first in a transaction; else None."""
    return next((one.line for one in statements(text) if FIRST_OF_ALL.match(one.code)), None)


def stays_outside(text: str) -> bool:
    """Return whether a file contains a statement that PostgreSQL always refuses inside a transaction block."""
    return any(outside(one.code) is Outside.ALWAYS for one in statements(text))


NOT_VALID = re.compile(r"\bnot\s+valid\b", re.IGNORECASE)


def is_not_valid(code: str) -> bool:
    """Return whether a constraint (blanked) is added NOT VALID."""
    return NOT_VALID.search(code) is not None


VALIDATES = re.compile(r"\bvalidate\s+constraint\b", re.IGNORECASE)


def validates(code: str) -> bool:
    """Return whether a statement (blanked) validates a constraint."""
    return VALIDATES.search(code) is not None


def is_validation(text: str) -> bool:
    """Return whether a statement only validates a constraint: it reads a table while others write to it."""
    return ALTERS.match(text) is not None and validates(nameless(blanked(text)))


ALTERS = re.compile(r"alter\s+table\b", re.IGNORECASE)


def runs_alone(text: str) -> bool:
    """Return whether a statement must be committed by itself; a label that an enum gains cannot be used before that."""
    return stays_outside(text) or added_label(text) is not None


def stays_in_session(text: str) -> bool:
    """Return whether SQL may leave something in its session that no statement removes."""
    return bool(_STAYS.search(text))


def selected_into(code: str) -> re.Match[str] | None:
    """Return the match of a SELECT INTO (blanked) that creates a table, with its name as group 1; None for others."""
    if not re.match(r"(?:with|select)\b", code, re.IGNORECASE):
        return None
    while (flat := GROUP.sub(lambda group: " " * len(group[0]), code)) != code:
        code = flat
    return SELECTS_INTO.match(code)


def setting_of(one: Statement) -> tuple[str, bool] | None:
    """Return the setting that a statement changes, and whether that outlasts the transaction; None if it changes none.

    It is changed by SET, by the function set_config(), or by an UPDATE of pg_settings, of which the name is not known.
    """
    code = one.code
    if found := SETS.match(code):
        return found["name"].strip('"').lower(), not found["local"]
    if VIEWED.match(code):
        return SOME, True
    if found := CONFIGURES.match(code):
        name, _, local, *_ = (*_arguments(one.text, code, found.end()), "", "", "")
        is_literal = name.startswith("'") and name.endswith("'")
        return name.strip("'").lower() if is_literal else SOME, LASTING.fullmatch(local) is not None
    return None


def _arguments(text: str, code: str, place: int) -> list[str]:
    """Return the arguments of a call whose parenthesis opens before this place."""
    depth, begin, found = 0, place, list[str]()
    for end in range(place, len(code)):
        if not depth and code[end] in ",)":
            found.append(_without_comments(text[begin:end]))
            begin = end + 1
            if code[end] == ")":
                break
        depth += {"(": 1, ")": -1}.get(code[end], 0)
    return found


def _without_comments(text: str) -> str:
    for start, end in reversed(list(quotes(text))):
        if text[start] in "-/":
            text = text[:start] + text[end:]
    return text.strip()

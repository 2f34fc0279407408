"""Find what in a file releases the migration lock, which its session holds, or terminates that session."""

from __future__ import annotations

import re

from healthd.model.ledger import MIGRATION_LOCK
from healthd.sqltext.contained import contained
from healthd.sqltext.do_blocks import DOES, body
from healthd.sqltext.statements import Statement, blanked, statements

CALL = r"(?<![\w$.\"])(?:pg_catalog\s*\.\s*)?{}\s*\(\s*"
ALL = re.compile(CALL.format("pg_advisory_unlock_all") + r"\)", re.IGNORECASE)
ONE = re.compile(CALL.format("pg_advisory_unlock") + r"(\w+)\s*,\s*(\w+)\s*\)", re.IGNORECASE)
OWN_END = re.compile(CALL.format("pg_terminate_backend") + CALL.format("pg_backend_pid") + r"\)", re.IGNORECASE)
DISCARD = re.compile(r"discard\s+all\b", re.IGNORECASE)

RELEASES = "releases the migration lock: another runner can start while this file is running"
CURES = {
    "DISCARD ALL": "remove it: the session is reset before each file",
    "pg_advisory_unlock_all()": "release the file's own locks one by one: pg_advisory_unlock(KEY)",
    "pg_advisory_unlock()": "use another key for the file's own lock: this key is the migration lock's",
    "pg_terminate_backend()": "remove it: with it the file can never be applied",
}


def release(text: str, *, transactional: bool) -> tuple[int, str, str] | None:
    """Return line, message and cure of what first releases the migration lock or ends the session; None without one.

    A transactional file is not examined: a transaction-level lock keeps other runners out, whatever the session
    releases, and the file is applied completely or not at all.
    """
    for one in () if transactional else statements(text):
        for each in (one, *contained(one)):
            if found := _release(each):
                line, what = found
                why = "terminates its own session" if what == "pg_terminate_backend()" else RELEASES
                return line, f"{what} {why}", CURES[what]
    return None


def _release(one: Statement) -> tuple[int, str] | None:
    code = blanked(one.text)
    if DISCARD.match(code):
        return one.line, "DISCARD ALL"
    if DOES.match(code):
        code = body(one.text)
    if found := OWN_END.search(code):
        return one.line + code.count("\n", 0, found.start()), "pg_terminate_backend()"
    if found := ALL.search(code):
        return one.line + code.count("\n", 0, found.start()), "pg_advisory_unlock_all()"
    for found in ONE.finditer(code):
        if tuple(map(_number, found.groups())) == MIGRATION_LOCK:
            return one.line + code.count("\n", 0, found.start()), "pg_advisory_unlock()"
    return None


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None

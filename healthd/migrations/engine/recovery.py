"""A statement that was begun and never confirmed: how to find out whether it is in.

Only statements that the server takes outside of transactions leave that question; all others are in when, and only
when, their progress is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from healthd.sqltext.steps import GAP

NAME = r'(?:"(?:[^"]|"")+"|[\w$\x80-\U0010ffff]+)'
PATH = rf"{NAME}(?:\s*\.\s*{NAME})*"
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
TWICE = re.compile(
    rf"(?:vacuum|reindex|cluster|alter{GAP}system|discard{GAP}all|alter{GAP}subscription\b.*\brefresh{GAP}publication)\b",
    FLAGS,
)
# One after the other, and what is done of them stays; each leaves rows and definitions as they are.
PIECEWISE = re.compile(r"(?:vacuum|reindex|cluster)\b", FLAGS)
# One transaction of the server's own: an error takes all of it back.
ATOMIC = re.compile(
    rf"(?:checkpoint|alter{GAP}(?:system|subscription|database)|(?:commit|rollback){GAP}prepared|discard{GAP}all)\b",
    FLAGS,
)

# Each gives texts; what it gives after a statement was begun is held against what it gave before.
QUERIES: Mapping[str, str] = {
    "index": """SELECT i.indexrelid::text, i.indexrelid::regclass::text, i.indisvalid AND i.indisready
                  FROM pg_catalog.pg_index AS i
                  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
                 WHERE i.indrelid = pg_catalog.to_regclass(%(table)s)
                   AND (%(name)s::text IS NULL OR c.relname = (pg_catalog.parse_ident(%(name)s))[1])""",
    "dropped": """SELECT c.oid::text, c.oid::regclass::text, i.indisvalid
                    FROM pg_catalog.pg_class AS c
                    JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
                   WHERE c.oid = pg_catalog.to_regclass(%(name)s)""",
    "detached": """SELECT i.inhrelid::text, i.inhrelid::regclass::text,
                          NOT coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false)
                     FROM pg_catalog.pg_inherits AS i
                    WHERE i.inhparent = pg_catalog.to_regclass(%(table)s)
                      AND i.inhrelid = pg_catalog.to_regclass(%(name)s)""",
    "reindexed": """SELECT i.indexrelid::text, i.indexrelid::regclass::text, false
                      FROM pg_catalog.pg_index AS i
                      JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
                     WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'""",
    "database": """SELECT d.oid::text, pg_catalog.quote_ident(d.datname), d.datconnlimit <> -2
                     FROM pg_catalog.pg_database AS d  -- a DROP DATABASE that was stopped leaves -2
                    WHERE d.datname = (pg_catalog.parse_ident(%(name)s))[1]""",
    "tablespace": """SELECT t.oid::text, pg_catalog.quote_ident(t.spcname), true FROM pg_catalog.pg_tablespace AS t
                      WHERE t.spcname = (pg_catalog.parse_ident(%(name)s))[1]""",
    "subscription": """SELECT s.oid::text, pg_catalog.quote_ident(s.subname), true FROM pg_catalog.pg_subscription AS s
                        WHERE s.subname = (pg_catalog.parse_ident(%(name)s))[1]""",
}

Ask = Callable[[str, Mapping[str, Any]], Iterable[tuple[str, str, bool]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a statement is in: True, False, or None when nobody can tell.

    `words` say what was seen, and `first` is the SQL to be run before going on.
    """

    done: bool | None
    words: str
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """What a statement leaves in the catalogs: the name of a query, its values, and whether it makes or removes."""

    query: str
    values: Mapping[str, Any]
    makes: bool


def trace(text: str) -> Trace | None:
    """Return where to look for what a statement does; None when there is no such place."""
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


def note(text: str, ask: Ask, known: str | None = None) -> str | None:
    """Return what is there before a statement begins, to be written down with its beginning.

    These are oids; one of what is not valid, or half gone, has an exclamation mark. `known` was noted before an earlier
    try, which may have removed the half: so it stays.
    """
    where = trace(text)
    if where is None:
        return None
    if known is not None and not where.makes:
        return known
    return " ".join(sorted(f"{oid}{'' if valid else '!'}" for oid, _, valid in ask(QUERIES[where.query], where.values)))


def untouched(text: str, noted: str | None, ask: Ask) -> bool:
    """Return whether it is proven that a statement which the server has ended with an error has left nothing."""
    where = trace(text)
    if where is None:
        return bool(TWICE.match(text) or ATOMIC.match(text))
    if where.makes:
        return not _new(where, noted, ask)
    known = (noted or "").split()
    now = [f"{oid}{'' if valid else '!'}" for oid, _, valid in ask(QUERIES[where.query], where.values)]
    return now == known


def left_over(text: str, noted: str | None, ask: Ask) -> tuple[str, ...]:
    """Return the INVALID indexes that a statement has left, by their names."""
    where = trace(text)
    if where is None or where.query not in ("index", "reindexed"):
        return ()
    return tuple(name for _, name, valid in _new(where, noted, ask) if not valid)


def judge(text: str, noted: str | None, ask: Ask) -> Outcome:
    """Say whether a statement that was begun is in."""
    where = trace(text)
    if where is None:
        if TWICE.match(text):
            return Outcome(False, "it does no harm to run it again")
        return Outcome(None, "nobody can tell whether it is in")
    if where.query == "reindexed":
        halves = [name for _, name, _ in _new(where, noted, ask)]
        words = "it is run again" if not halves else f"it left {', '.join(halves)} INVALID"
        return Outcome(False, words, tuple(f"DROP INDEX CONCURRENTLY IF EXISTS {name}" for name in halves))
    if where.makes:
        return _made(where, noted, ask)
    return _removed(where, noted, ask)


def _made(where: Trace, noted: str | None, ask: Ask) -> Outcome:
    new = _new(where, noted, ask)
    what = where.query
    if invalid := [name for _, name, valid in new if not valid]:
        drops = tuple(f"DROP INDEX CONCURRENTLY IF EXISTS {name}" for name in invalid)
        return Outcome(False, f"index {', '.join(invalid)} is there and INVALID", drops)
    if len(new) > 1:
        return Outcome(None, f"it may have made one of {', '.join(name for _, name, _ in new)}")
    if new:
        return Outcome(True, f"{what} {new[0][1]} is there{' and valid' if what == 'index' else ''}")
    return Outcome(False, f"its {what} is not there")


def _removed(where: Trace, noted: str | None, ask: Ask) -> Outcome:
    found = list(ask(QUERIES[where.query], where.values))
    if where.query == "detached":
        if found and not found[0][2]:
            table = where.values["table"]
            sql = f"ALTER TABLE {table} DETACH PARTITION {where.values['name']} FINALIZE"
            words = f"partition {found[0][1]} is half detached, its rows are no longer read through {table}"
            return Outcome(True, words, (sql,))
        words = "the partition is still attached" if found else "the partition is detached"
    elif found and not found[0][2]:
        words = f"{'index' if where.query == 'dropped' else where.query} {found[0][1]} is INVALID"
    else:
        words = f"{found[0][1]} is still there" if found else f"{where.values['name']} is gone"
    return Outcome(not found and bool(noted), words)


def _new(where: Trace, noted: str | None, ask: Ask) -> list[tuple[str, str, bool]]:
    before = {oid.rstrip("!") for oid in (noted or "").split()}
    return [row for row in ask(QUERIES[where.query], where.values) if row[0] not in before]

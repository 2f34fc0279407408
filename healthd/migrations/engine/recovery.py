"""A statement that was started and never confirmed: how to determine whether it was applied.

This question arises only for statements that cannot run in a transaction block; all others are applied if, and only
if, their progress is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from healthd.sqltext.nontransactional import Trace, is_atomic, is_repeatable, trace

# Each returns oid, name and validity; the rows after a statement was started are compared with those before.
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
    """Whether a statement was applied: True, False, or None if it cannot be determined.

    `words` describe what was found, and `first` is the SQL to run before continuing.
    """

    done: bool | None
    words: str
    first: tuple[str, ...] = ()


def note(text: str, ask: Ask, known: str | None = None) -> str | None:
    """Return what exists before a statement starts, to be recorded with its start.

    The text consists of oids; an exclamation mark follows the oid of an object that is invalid or partly removed.
    `known` was noted before an earlier try, which may have removed a part: it takes precedence.
    """
    where = trace(text)
    if where is None:
        return None
    if known is not None and not where.makes:
        return known
    return " ".join(sorted(f"{oid}{'' if valid else '!'}" for oid, _, valid in ask(QUERIES[where.what], where.values)))


def untouched(text: str, noted: str | None, ask: Ask) -> bool:
    """Return whether it is proven that a statement that failed with an error of the server left nothing behind."""
    where = trace(text)
    if where is None:
        return is_repeatable(text) or is_atomic(text)
    if where.makes:
        return not _new(where, noted, ask)
    known = (noted or "").split()
    now = [f"{oid}{'' if valid else '!'}" for oid, _, valid in ask(QUERIES[where.what], where.values)]
    return now == known


def left_over(text: str, noted: str | None, ask: Ask) -> tuple[str, ...]:
    """Return the names of the INVALID indexes that a statement left behind."""
    where = trace(text)
    if where is None or where.what not in ("index", "reindexed"):
        return ()
    return tuple(name for _, name, valid in _new(where, noted, ask) if not valid)


def judge(text: str, noted: str | None, ask: Ask) -> Outcome:
    """Return whether a statement that was started was applied."""
    where = trace(text)
    if where is None:
        if is_repeatable(text):
            return Outcome(False, "it can safely be run again")
        return Outcome(None, "it cannot be determined whether it was applied")
    if where.what == "reindexed":
        halves = [name for _, name, _ in _new(where, noted, ask)]
        words = "it left no INVALID index" if not halves else f"it left {', '.join(halves)} INVALID"
        return Outcome(False, words, tuple(f"DROP INDEX CONCURRENTLY IF EXISTS {name}" for name in halves))
    if where.makes:
        return _made(where, noted, ask)
    return _removed(where, noted, ask)


def _made(where: Trace, noted: str | None, ask: Ask) -> Outcome:
    new = _new(where, noted, ask)
    what = where.what
    if invalid := [name for _, name, valid in new if not valid]:
        drops = tuple(f"DROP INDEX CONCURRENTLY IF EXISTS {name}" for name in invalid)
        return Outcome(False, f"index {', '.join(invalid)} exists, but is INVALID", drops)
    if len(new) > 1:
        return Outcome(None, f"it may have created one of {', '.join(name for _, name, _ in new)}")
    if new:
        return Outcome(True, f"{what} {new[0][1]} exists{' and is valid' if what == 'index' else ''}")
    return Outcome(False, f"its {what} does not exist")


def _removed(where: Trace, noted: str | None, ask: Ask) -> Outcome:
    found = list(ask(QUERIES[where.what], where.values))
    if where.what == "detached":
        if found and not found[0][2]:
            table = where.values["table"]
            sql = f"ALTER TABLE {table} DETACH PARTITION {where.values['name']} FINALIZE"
            words = f"partition {found[0][1]} is only partly detached, its rows are no longer visible in {table}"
            return Outcome(True, words, (sql,))
        words = "the partition is still attached" if found else "the partition is detached"
    elif found and not found[0][2]:
        words = f"{'index' if where.what == 'dropped' else where.what} {found[0][1]} is INVALID"
    else:
        words = f"{found[0][1]} still exists" if found else f"{where.values['name']} no longer exists"
    return Outcome(not found and bool(noted), words)


def _new(where: Trace, noted: str | None, ask: Ask) -> list[tuple[str, str, bool]]:
    before = {oid.rstrip("!") for oid in (noted or "").split()}
    return [row for row in ask(QUERIES[where.what], where.values) if row[0] not in before]

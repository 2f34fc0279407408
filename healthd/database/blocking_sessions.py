"""What a session waits for, who blocks it, and how far its index build is: the queries, and their results in words."""

from __future__ import annotations

import re

from healthd.sqltext.steps import excerpt, without_values

# What a session waits for is visible to every role; the text, the age and the state of a session only to some.
WAITS = """SELECT l.locktype, l.mode, l.relation::regclass::text
             FROM pg_catalog.pg_locks AS l
            WHERE l.pid = %(pid)s AND NOT l.granted
            LIMIT 1"""
BLOCKERS = """SELECT b.pid, b.application_name, b.usename, b.state,
                     extract(epoch FROM clock_timestamp() - b.xact_start)::float8, b.query
                FROM unnest(pg_catalog.pg_blocking_pids(%(pid)s)) AS x(pid)
                LEFT JOIN pg_catalog.pg_stat_activity AS b ON b.pid = x.pid
               ORDER BY b.xact_start NULLS LAST"""
# Only for tables that the watcher's session can see: those that the migration's own transaction created block nobody.
BUILDING = """SELECT p.phase, p.blocks_done, p.blocks_total, p.lockers_done, p.lockers_total,
                     p.relid::regclass::text
                FROM pg_catalog.pg_stat_progress_create_index AS p
               WHERE p.pid = %(pid)s AND EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = p.relid)"""
TRANSACTIONS = ("transactionid", "virtualxid")


def wait_words(locktype: str | None = None, mode: str | None = None, relation: str | None = None) -> str:
    """Return what a session waits for, in words, from a row of WAITS; "a lock" without one."""
    if relation:
        return f"{lock_words(mode)} on {relation}"
    if locktype in TRANSACTIONS:
        return "the end of a transaction"
    return f"a lock ({locktype})" if locktype else "a lock"


def lock_words(mode: str | None) -> str:
    """Return a lock mode as SQL writes it: ACCESS EXCLUSIVE for AccessExclusiveLock."""
    if mode is None:
        return "a lock"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()


def blocker(pid: int, name: str | None, user: str | None, state: str | None, age_s: float | None, query: str) -> str:
    """Return a blocking session in words, from a row of BLOCKERS; values in its statement are omitted."""
    who = ", ".join(filter(None, (name, f"user {user}" if user else None)))
    since = f", in a transaction for {age_s:.0f} s" if age_s is not None else ""
    idle = ", idle" if state and state.startswith("idle") else ""
    said = f": {excerpt(without_values(query))}" if query and query != HIDDEN else ""
    return f"process {pid} ({who or 'unknown'}{since}{idle}){said}"


def is_hidden(*row: object) -> bool:
    """Return whether the role may not see the details of a session, from a row of BLOCKERS."""
    return row[-1] == HIDDEN


HIDDEN = "<insufficient privilege>"  # what the server prints in place of a statement


def progress(phase: str, done: int, total: int, lockers: int, all_lockers: int, table: str) -> tuple[str, str]:
    """Return the progress of an index build in words, and the part of it that is worth a new line: phase and tenth."""
    share = done / total if total else 0.0
    if all_lockers:
        words = f"index on {table}: {phase}, {lockers} of {all_lockers} transactions have finished"
        return words, f"{phase} {lockers}"
    words = f"index on {table}: {phase}" + (f", {share:.0%}" if total else "")
    return words, f"{table} {phase} {int(share * 10)}"

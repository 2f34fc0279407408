"""Look at a running migration from outside: its file and statement, what it waits for, and how far its index is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from healthd.database.blocking_sessions import BLOCKERS, BUILDING, WAITS, blocker, is_hidden, progress, wait_words
from healthd.database.connection import LIMITS, SESSION, read_only
from healthd.database.ledger import Ledger
from healthd.model.ledger import PROGRESS
from healthd.model.migration_names import canonical
from healthd.model.names import quote
from healthd.model.running import IndexBuild, Runner, RunningMigration
from healthd.text import hide

MOST = 5  # blocking sessions that are named
# backend_start is NULL if the role may not see the details of this session.
SESSION_OF = """SELECT a.usename, a.backend_start, CASE WHEN a.state = 'active' THEN a.query_start END
                  FROM pg_catalog.pg_stat_activity AS a
                 WHERE a.pid = %(pid)s"""
# The last statement that this session has recorded; older tables do not have its columns.
STATEMENT = """SELECT p.migration_id, p.statement + CASE WHEN p.finished_at IS NULL THEN 0 ELSE 1 END, p.statements
                 FROM {} AS p
                WHERE (to_jsonb(p) ->> 'runner_pid')::int = %(pid)s
                  AND (%(since)s::timestamptz IS NULL
                       OR (to_jsonb(p) ->> 'runner_since')::timestamptz = %(since)s::timestamptz)
                ORDER BY p.statement DESC
                LIMIT 1"""
GRANT = "GRANT pg_read_all_stats TO {};"


async def read_running(connection: AsyncConnection[Any], runner: Runner, ledger: Ledger) -> RunningMigration | None:
    """Return what is known of the migration of a runner, in a transaction of its own.

    None if its session has ended meanwhile, or if the server rejects a query, which leaves the round unaffected.
    """
    async with read_only(connection, {**SESSION, **LIMITS}):
        try:
            async with connection.transaction():
                return await _read(connection, runner, ledger)
        except psycopg.DatabaseError:
            if connection.closed:
                raise
            return None


async def _read(connection: AsyncConnection[Any], runner: Runner, ledger: Ledger) -> RunningMigration | None:
    session = await _one(connection, SESSION_OF, runner)
    if session is None:
        return None
    user, connected_at, statement_at = session
    found = RunningMigration(
        runner.pid, runner.application, user, runner.file, connected_at=connected_at, statement_at=statement_at
    )
    found = await _with_statement(connection, runner, ledger, found)
    return await _with_waits(connection, runner, found)


async def _with_statement(
    connection: AsyncConnection[Any], runner: Runner, ledger: Ledger, found: RunningMigration
) -> RunningMigration:
    """Add the statement of a non-transactional file."""
    if not ledger.interrupted or len(ledger.schemas) != 1:
        return found
    query = sql.SQL(STATEMENT).format(sql.Identifier(ledger.schemas[0], PROGRESS))
    row = await _one(connection, query, runner, since=found.connected_at)
    if row is None:
        return found
    name, statement, statements = row
    return replace(
        found, file=found.file or canonical(name), statement=min(statement, statements), statements=statements
    )


async def _with_waits(connection: AsyncConnection[Any], runner: Runner, found: RunningMigration) -> RunningMigration:
    """Add what it waits for, who blocks it, its index build, and what the role lacks to see all of that."""
    waits = await _one(connection, WAITS, runner)
    cursor = await connection.execute(BLOCKERS.encode(), {"pid": runner.pid})
    blockers = await cursor.fetchall()
    building = await _one(connection, BUILDING, runner)
    hidden = found.connected_at is None or any(is_hidden(*row) for row in blockers)
    return replace(
        found,
        waits_for=wait_words(*(waits or ())) if waits or blockers else None,
        pauses=runner.pauses,
        blockers=tuple(hide(blocker(*row)) for row in blockers[:MOST]),
        blocker_count=len(blockers),
        index=_index(*building) if building is not None else None,
        grant=GRANT.format(quote(connection.info.user)) if hidden else None,
    )


def _index(phase: str, done: int, total: int, lockers: int, all_lockers: int, table: str) -> IndexBuild:
    words, _ = progress(phase, done, total, lockers, all_lockers, table)
    done, total = (lockers, all_lockers) if all_lockers else (done, total)
    return IndexBuild(words, phase, done / total if total else None)


async def _one(
    connection: AsyncConnection[Any], query: str | sql.Composed, runner: Runner, since: datetime | None = None
) -> Any:
    """Return the first row about a runner, None if there is none."""
    text = query.encode() if isinstance(query, str) else query
    return await (await connection.execute(text, {"pid": runner.pid, "since": since})).fetchone()

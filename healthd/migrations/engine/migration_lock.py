"""One runner at a time: the migration lock and its holder, and the row in stock yoyo's lock table."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from healthd.database.ledger import RUNNING
from healthd.errors import MigrationFailed
from healthd.migrations.engine.lock_waits import Say
from healthd.model.ledger import MIGRATION_LOCK

TRY = "SELECT pg_try_advisory_lock(%s, %s)"
WAIT = "SELECT pg_catalog.pg_advisory_lock(%s, %s)"
WAITS = "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks AS l WHERE l.pid = %s AND NOT l.granted)"
RELEASE = "SELECT pg_catalog.pg_advisory_unlock_all()"  # the lock is held as many times as it was acquired
# A file can release a session-level lock, but not a transaction-level one. So each transaction of ours takes the lock
# for itself, too, and acquires the session-level lock again at its end. Both fail, with this text, if another session
# has it.
LOST = "the migration lock is lost"
_FAILS = f"(pg_catalog.pg_backend_pid()::text || '{LOST}')::int::text"
_NUMBERS = ", ".join(map(str, MIGRATION_LOCK))
IN_TRANSACTION = f"CASE WHEN pg_catalog.pg_try_advisory_xact_lock({_NUMBERS}) THEN {{}} ELSE {_FAILS} END"
HOLD_TRANSACTION = f"SELECT {IN_TRANSACTION};".format("''")
HOLD = f"SELECT CASE WHEN pg_catalog.pg_try_advisory_lock({_NUMBERS}) THEN '' ELSE {_FAILS} END;"
HOLDER = """SELECT a.application_name, l.pid, date_trunc('second', now() - a.backend_start)
              FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
             WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
               AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
               AND (l.classid, l.objid) = (%s::bigint::oid, %s::bigint::oid)"""

# Sessions that may have inserted the row; a live yoyo keeps its session open. These are the sessions that are at least
# as old as the row (with an hour's tolerance for a wrong client clock) and may write to the table, and those whose age
# we may not read.
WHO = """SELECT a.pid, a.usename, a.application_name
           FROM pg_catalog.pg_stat_activity AS a
          WHERE a.datname = current_database()
            AND a.pid <> pg_backend_pid()
            AND coalesce(a.backend_type, 'client backend') = 'client backend'
            AND coalesce(a.application_name, '') NOT LIKE 'healthd/%%'
            AND (a.backend_start IS NULL
                 OR a.backend_start AT TIME ZONE 'UTC' <= %(ctime)s::timestamp + interval '1 hour')
            AND (a.usesysid IS NULL OR pg_catalog.has_table_privilege(a.usesysid, %(table)s, 'INSERT'))
          ORDER BY a.backend_start"""


class Held(Exception):
    """Another session holds the lock."""


def acquire(connection: Any, deadline: float) -> None:
    """Acquire the migration lock; at the deadline, raise Held with the holder.

    The lock is polled: a blocking waiter would hold a snapshot, and CREATE INDEX CONCURRENTLY waits for those.
    """
    while not connection.execute(TRY, MIGRATION_LOCK).fetchone()[0]:
        if time.monotonic() > deadline:
            raise Held(f"the migration lock is held by {_holder(connection)}")
        time.sleep(random.uniform(0.1, 0.4))  # noqa: S311 # jitter, no secret


def hand_over(old: Any, new: Any) -> None:
    """Have a new session hold the migration lock in place of an old one, which is closed.

    No other runner gets it in between: the server gives a lock to the session that waits for it.
    """
    (pid,) = new.execute(
        "SELECT pg_catalog.pg_backend_pid(), pg_catalog.set_config('lock_timeout', '0', false)"
    ).fetchone()[:1]
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(new.execute, WAIT, MIGRATION_LOCK)
        while not waiting.done() and not old.execute(WAITS, (pid,)).fetchone()[0]:
            time.sleep(0.002)
        old.close()
        waiting.result()


def release(connection: Any) -> None:
    """Release the migration lock; for a lost connection, the server has done so."""
    if not connection.closed:
        connection.execute(RELEASE)


def acquire_alone(connection: Any, deadline: float, progress: str | None) -> None:
    """Acquire the migration lock when no runner is active whose progress is in this table; raise Held as `acquire`.

    A file may have released the lock of its runner and still be running.
    """
    while True:
        acquire(connection, deadline)
        row = connection.execute(RUNNING.format(table=progress)).fetchone() if progress else None
        if row is None:
            return
        release(connection)
        if time.monotonic() > deadline:
            raise Held(f"{row[0]} is still being run by {row[2] or 'an unnamed client'} (server process {row[1]})")
        time.sleep(random.uniform(0.2, 0.5))  # noqa: S311 # jitter, no secret


def _holder(connection: Any) -> str:
    row = connection.execute(HOLDER, MIGRATION_LOCK).fetchone()
    if row is None:
        return "a session that has just released it; try again"
    return f"{row[0] or 'an unnamed client'} (server process {row[1]}, connected for {row[2]})"


def respect_row(connection: Any, table: str, deadline: float, say: Say) -> None:
    """Wait for a stock yoyo that holds its lock row; delete the row if its session provably no longer exists.

    `table` is the quoted name of yoyo's lock table.
    """
    while row := connection.execute(f"SELECT pid, ctime FROM {table}").fetchone():  # noqa: S608 # yoyo's own name
        pid, ctime = row
        holders = connection.execute(WHO, {"ctime": ctime, "table": table}).fetchall() if ctime else [(0, "", "")]
        if not holders:
            connection.execute(f"DELETE FROM {table} WHERE pid = %s AND ctime = %s", (pid, ctime))  # noqa: S608
            left = f"yoyo (process {pid}) left at {ctime:%Y-%m-%d %H:%M:%S} UTC"
            say(f"deleted the lock row that {left}: its session no longer exists")
            return
        if time.monotonic() > deadline:
            who = "; ".join(f"server process {one} ({user}, {name or 'no name'})" for one, user, name in holders if one)
            maybe = f", and may be {who}" if who else ""
            raise Held(
                f"yoyo (process {pid}) holds the row in {table.replace(chr(34), '')}{maybe}; "
                "if that process no longer runs: yoyo break-lock"
            )
        time.sleep(0.5)


def refuse_pooler(connection: Any, dial: Callable[[], Any]) -> None:
    """Raise if a connection pooler shares our server session with other clients between transactions.

    The lock belongs to the session, so other clients would hold it, too.
    """
    ask = "SELECT pg_catalog.pg_backend_pid()"
    own = connection.execute(ask).fetchone()[0]
    if own == connection.info.backend_pid:
        return  # the backend_pid is from the server itself, so there is no pooler
    with dial() as other:
        other.execute("BEGIN")
        shared = other.execute(ask).fetchone()[0] == own
        moved = any(connection.execute(ask).fetchone()[0] != own for _ in range(3))
        other.execute("ROLLBACK")
    if shared or moved:
        raise MigrationFailed(
            "a connection pooler shares the server session with other clients (PgBouncer, pool_mode = transaction), "
            "so the migration lock cannot be held; nothing was changed",
            hint="connect directly to the server, or to a pool with pool_mode = session",
        )

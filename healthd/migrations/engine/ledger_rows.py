"""The rows of the ledger: the marks, the log and the digests of migrations, and the SQL that writes them."""

from __future__ import annotations

import functools
import getpass
import os
import socket
import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from healthd._version import __version__
from healthd.expected.files import Migration
from healthd.migrations.engine.session import Session
from healthd.model.ledger import DIGESTS, PROGRESS
from healthd.model.migration_names import forms, hashed

LOGGED = ("id", "migration_hash", "migration_id", "operation", "username", "hostname", "created_at_utc")
LOG = f"INSERT INTO {{logs}} ({', '.join(LOGGED)}) VALUES ({', '.join('%s' for _ in LOGGED)});"  # noqa: S608 # our own
MARK = """INSERT INTO {marks} (migration_hash, migration_id, applied_at_utc) VALUES (%s, %s, %s);
          INSERT INTO {digests} (migration_hash, migration_id, digest, rollback_digest, healthd_version)
          VALUES (%s, %s, %s, %s, %s);"""
ADOPTED = """INSERT INTO {digests} (migration_hash, migration_id, digest, rollback_digest, healthd_version)
             VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""


def marks(session: Session, there: Collection[str]) -> list[tuple[str, str]]:
    """Return hash and name of the applied migrations, the oldest first; `there` are the tables that exist."""
    if session.migration_table not in there:
        return []
    table = session.table(session.migration_table)
    rows = session.execute(f"SELECT migration_hash, migration_id FROM {table} ORDER BY applied_at_utc").fetchall()  # noqa: S608
    return [(mark, name or "") for mark, name in rows]


def hashes(mark: str, name: str) -> tuple[str, ...]:
    """Return the hashes of all Unicode forms of a name; empty if the hash of the mark is not among them."""
    return tuple(map(hashed, forms(name))) if mark == hashed(name) else ()


def name_in_ledger(session: Session, there: Collection[str], name: str) -> tuple[str, str] | None:
    """Return the name and the hash of a migration in the ledger, in whichever Unicode form; None if it has no row."""
    names = {hashed(form): form for form in forms(name)}
    known: set[str] = set()
    for table in (session.migration_table, PROGRESS):
        if table in there:  # missing before the first file
            query = f"SELECT migration_hash FROM {session.table(table)} WHERE migration_hash = ANY(%(hashes)s)"  # noqa: S608
            known |= {row[0] for row in session.connection.execute(query, {"hashes": list(names)}).fetchall()}
    return next(((form, mark) for mark, form in names.items() if mark in known), None)


def log_row(migration: Any, operation: str) -> Mapping[str, Any]:
    """Return yoyo's log row; must not fail for a uid without a name, as in containers, or a slow DNS."""
    return {
        "id": str(uuid.uuid4()),
        "migration_id": migration.id if migration else None,
        "migration_hash": migration.hash if migration else None,
        "username": _user(),
        "hostname": socket.gethostname(),
        "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
        "operation": operation,
    }


@functools.cache
def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def applied(session: Session, row: Mapping[str, Any], migration: Any, ours: Migration, *, mark: bool) -> str:
    """Return the SQL that logs that a migration was applied and, with `mark`, marks it with its digests."""
    log, values = _logged(session, row)
    if mark:
        known = (migration.hash, migration.id)
        now = datetime.now(UTC).replace(tzinfo=None)
        log += MARK.format(marks=session.table(session.migration_table), digests=session.table(DIGESTS))
        values += (*known, now, *known, ours.digest, ours.rollback_digest, __version__)
    return session.filled(log, values)


def undone(session: Session, row: Mapping[str, Any], migration: Any) -> str:
    """Return the SQL that logs that a migration was rolled back and removes its mark, and with it its digests."""
    log, values = _logged(session, row)
    forget = f"DELETE FROM {session.table(session.migration_table)} WHERE migration_hash = ANY(%s);"  # noqa: S608 # our own
    return session.filled(log + forget, (*values, [hashed(name) for name in forms(migration.id)]))


def _logged(session: Session, row: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    return LOG.format(logs=session.table(session.log_table)), tuple(row[name] for name in LOGGED)


def add_digests(session: Session, migration: Any, ours: Migration) -> None:
    """Add the digests of a migration that was marked without healthd."""
    values = (migration.hash, migration.id, ours.digest, ours.rollback_digest, __version__)
    session.connection.execute(ADOPTED.format(digests=session.table(DIGESTS)), values)

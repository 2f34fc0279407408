"""The only door to yoyo: its backend, made safe. `yoyo apply` and `healthd migrate` both come through here.

The migration, its mark, its log row and its content digest commit in one transaction on one connection, and
a session advisory lock, which the server frees when the process dies, keeps others out.
"""

from __future__ import annotations

import getpass
import os
import random
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlparse
from yoyo import exceptions, internalmigrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration as YoyoMigration

from healthd import __version__
from healthd.database import MIGRATION_LOCK, complete, parameters, place, translate
from healthd.errors import HealthdError, MigrationFailed
from healthd.migrations.files import Migration, read_migration

DIGESTS = "_healthd_migration"


class Backend(PostgresqlPsycopgBackend):  # type: ignore[misc] # yoyo ships no types
    """yoyo's backend for `postgresql+healthd://`; one instance serves one run."""

    _internal_schema_updated: bool
    _is_locked: bool

    def connect(self, dburi: Any) -> Any:
        """Open the one connection of this run; nothing is prepared and nothing is probed."""
        arguments = {
            "user": dburi.username,
            "password": dburi.password,
            "host": dburi.hostname,
            "port": dburi.port,
            "dbname": dburi.database or None,
            **dburi.args,
        }
        self.schema = arguments.pop("schema", None)
        self.dsn = " ".join(f"{name}={_quoted(value)}" for name, value in arguments.items() if value is not None)
        try:
            return self.driver.connect(complete(self.dsn), autocommit=True, prepare_threshold=None)
        except self.driver.Error as error:
            raise translate(error, self.dsn) from error

    def init_database(self) -> None:
        """Do nothing: stock yoyo creates and drops tables here to find out what PostgreSQL can do."""

    def ensure_internal_schema_updated(self) -> None:
        """Make yoyo's tables and ours when they are not there; otherwise only look."""
        if self._internal_schema_updated:
            return
        present = set(self.list_tables())
        if internalmigrations.needs_upgrading(self):
            internalmigrations.upgrade(self)
        with self.transaction():
            if self.lock_table not in present:
                self.execute(self.format_sql(self.create_lock_table_sql))
            if DIGESTS not in present:
                self.execute(
                    f"""CREATE TABLE {DIGESTS} (
                            migration_hash varchar(64) PRIMARY KEY,
                            migration_id varchar(255) NOT NULL,
                            digest text NOT NULL,
                            rollback_digest text,
                            applied_at timestamptz NOT NULL DEFAULT now(),
                            applied_by text NOT NULL DEFAULT session_user,
                            healthd_version text NOT NULL)"""
                )
        self._internal_schema_updated = True

    @contextmanager
    def lock(self, timeout: float = 10) -> Iterator[None]:
        """Hold the migration lock for a block; raise LockTimeout, naming the holder, after `timeout` seconds.

        The lock is polled for: a waiter that blocks would hold a snapshot, and CREATE INDEX CONCURRENTLY
        waits for those.
        """
        if self._is_locked:
            yield
            return
        deadline = time.monotonic() + timeout
        while not self._one("SELECT pg_try_advisory_lock(%s, %s)", MIGRATION_LOCK):
            if time.monotonic() > deadline:
                raise exceptions.LockTimeout(f"the migration lock is held by {self._holder()}")
            time.sleep(random.uniform(0.1, 0.4))  # noqa: S311 # jitter, no secret
        self._is_locked = True
        try:
            self._respect_lock_row(deadline)
            yield
        finally:
            self._is_locked = False
            if not self.connection.closed:
                self._one("SELECT pg_advisory_unlock(%s, %s)", MIGRATION_LOCK)

    def _respect_lock_row(self, deadline: float) -> None:
        """Wait for a stock yoyo that holds its row in yoyo_lock."""
        while self.lock_table in self.list_tables():
            pid = self._one(self.format_sql("SELECT max(pid) FROM {0.lock_table_quoted}"))
            if pid is None:
                return
            if time.monotonic() > deadline:
                raise exceptions.LockTimeout(
                    f"yoyo, process {pid}, holds the row in {self.lock_table}; "
                    "when that process is dead: yoyo break-lock"
                )
            time.sleep(0.5)

    def _holder(self) -> str:
        row = self.connection.execute(
            """SELECT a.application_name, l.pid, date_trunc('second', now() - a.backend_start)
                 FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
                WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                  AND (l.classid, l.objid) = (%s::bigint::oid, %s::bigint::oid)""",
            MIGRATION_LOCK,
        ).fetchone()
        if row is None:
            return "somebody who has just let go of it; try again"
        return f"{row[0] or 'a client without a name'} (server process {row[1]}, connected for {row[2]})"

    def copy(self) -> Backend:
        """Return this backend: one connection does everything."""
        return self

    def __exit__(self, *_raised: object) -> None:
        self.connection.close()

    def apply_one(self, migration: Any, force: bool = False, mark: bool = True) -> None:
        """Run a migration's file and mark it, together or not at all."""
        _refuse(force)
        self.ensure_internal_schema_updated()
        ours = read_migration(Path(migration.path))
        self._run(ours, ours.apply, ours.path, lambda: self._record(migration, ours) if mark else None)

    def rollback_one(self, migration: Any, force: bool = False) -> None:
        """Run a migration's rollback file and unmark it, together or not at all."""
        _refuse(force)
        self.ensure_internal_schema_updated()
        ours = read_migration(Path(migration.path))
        if ours.rollback is None:
            raise MigrationFailed(
                f"{ours.id} has no rollback: nothing was changed", hint=f"write {ours.rollback_path.name}"
            )
        self._run(ours, ours.rollback, ours.rollback_path, lambda: self._forget(migration))

    def _run(self, migration: Migration, text: str, path: Path, book: Any) -> None:
        """Send a file to the server and keep the books about it."""
        if migration.transactional:
            with self.transaction():
                self._send(text, path, "nothing was changed")
                if self.connection.info.transaction_status != self.driver.pq.TransactionStatus.INTRANS:
                    self._in_transaction = False
                    raise MigrationFailed(
                        f"{path.name} ends its own transaction: part of it is in, and it is not marked",
                        hint="take BEGIN and COMMIT out of the file, and undo by hand what it did",
                    )
                book()
            return
        done = 0
        for statement in sqlparse.split(text):
            if sqlparse.format(statement, strip_comments=True).strip(" ;\n"):
                self._send(statement, path, f"{done} statements of it are in, and it is not marked")
                done += 1
        with self.transaction():
            book()

    def _send(self, text: str, path: Path, state: str) -> None:
        try:
            self.connection.execute(text)
        except self.driver.Error as error:
            raise _failed(error, text, path, state) from error

    def _record(self, migration: Any, ours: Migration) -> None:
        self.log_migration(migration, "apply")
        self.mark_one(migration, log=False)
        self.connection.execute(
            f"""INSERT INTO {DIGESTS} (migration_hash, migration_id, digest, rollback_digest, healthd_version)
                VALUES (%s, %s, %s, %s, %s)
                ON CONFLICT (migration_hash) DO UPDATE
                   SET digest = excluded.digest, rollback_digest = excluded.rollback_digest,
                       applied_at = now(), applied_by = session_user,
                       healthd_version = excluded.healthd_version""",  # noqa: S608 # our own constant
            (migration.hash, migration.id, ours.digest, ours.rollback_digest, __version__),
        )

    def _forget(self, migration: Any) -> None:
        self.log_migration(migration, "rollback")
        self.unmark_one(migration, log=False)
        self.connection.execute(f"DELETE FROM {DIGESTS} WHERE migration_hash = %s", (migration.hash,))  # noqa: S608

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> Mapping[str, Any]:
        """Return yoyo's log row; a uid without a name, as containers have, is no reason to fail."""
        try:
            getpass.getuser()
        except (KeyError, OSError):
            os.environ["LOGNAME"] = f"uid {os.getuid()}"
        return super().get_log_data(migration, operation) | {"hostname": socket.gethostname()}  # type: ignore[no-any-return]

    def _one(self, query: str, values: Any = None) -> Any:
        row = self.connection.execute(query, values).fetchone()
        return None if row is None else row[0]


def _refuse(force: bool) -> None:
    if force:
        raise MigrationFailed("--force would leave a migration half-way; nothing was changed", hint="mend the file")


def _quoted(value: Any) -> str:
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _failed(error: Any, text: str, path: Path, state: str) -> HealthdError:
    """Return what to tell about a statement that failed: file, line, the server's words and hint."""
    diag = error.diag
    if error.sqlstate is None:
        return MigrationFailed(f"{path.name}: the connection was lost: {error}".strip() + f"; {state}")
    position = diag.statement_position
    line = f", line {text.count(chr(10), 0, int(position) - 1) + 1}" if position else ""
    words = ". ".join(part for part in (diag.message_primary, diag.message_detail) if part)
    return MigrationFailed(f"{path.name}{line}: {words} ({error.sqlstate}); {state}", hint=diag.message_hint or "")


@contextmanager
def opened(dsn: str, *, wait_s: float) -> Iterator[Backend]:
    """Open a backend and hold the migration lock for a block; raise our errors for yoyo's and the driver's."""
    known = parameters(dsn)
    uri = DatabaseURI("postgresql+healthd", None, None, None, None, None, known)
    backend = Backend(uri, "_yoyo_migration")
    try:
        with backend, backend.lock(timeout=wait_s):
            yield backend
    except exceptions.LockTimeout as error:
        raise MigrationFailed(
            f"{place(dsn)}: {error}; nothing was changed", hint="wait for it, or --wait longer"
        ) from error
    except backend.driver.Error as error:
        raise translate(error, dsn) from error


def yoyo_migration(migration: Migration) -> YoyoMigration:
    """Return a migration as yoyo knows it; its file is read by us, so yoyo never parses it."""
    return YoyoMigration(migration.id, str(migration.path), str(migration.path.parent))

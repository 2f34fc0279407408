"""The only door to yoyo: its backend, made safe. `yoyo apply` and `healthd migrate` both come through here.

The migration, its mark, its log row and its content digest commit in one transaction on one connection, and
a session advisory lock, which the server frees when the process dies, keeps others out.
"""

from __future__ import annotations

import getpass
import os
import random
import re
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from yoyo import exceptions, internalmigrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration as YoyoMigration

from healthd import __version__
from healthd.database.connection import DIGESTS, MIGRATION_LOCK, complete, parameters, place, translate
from healthd.errors import MigrationFailed
from healthd.migrations.files import Migration, read_migration
from healthd.migrations.statements import statements, trouble

NOTHING = "nothing was changed"
# A process that is killed leaves its statement running and its lock held, until the server looks.
NOTICE_DEATH = "SET client_connection_check_interval = '1s'"
CONCURRENTLY = re.compile(r"(?:create\s+(?:unique\s+)?index|reindex\b.*?)\s+concurrently\b", re.IGNORECASE)


class Backend(PostgresqlPsycopgBackend):  # type: ignore[misc] # yoyo ships no types
    """yoyo's backend for `postgresql+healthd://`; one instance serves one run."""

    _internal_schema_updated: bool
    _is_locked: bool
    notices_death = False

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
            # The files are UTF-8, whatever the database's encoding: the server converts.
            connection = self.driver.connect(
                complete(self.dsn), autocommit=True, prepare_threshold=None, client_encoding="utf8"
            )
        except self.driver.Error as error:
            raise translate(error, self.dsn) from error
        with suppress(self.driver.Error):  # PostgreSQL 13 has it not, and some systems cannot
            connection.execute(NOTICE_DEATH)
            self.notices_death = True
        return connection

    def init_connection(self, connection: Any) -> None:
        """Make the session what it is at its start."""
        super().init_connection(connection)
        if self.notices_death:
            connection.execute(NOTICE_DEATH)

    def init_database(self) -> None:
        """Do nothing: stock yoyo creates and drops tables here to find out what PostgreSQL can do."""

    def ensure_internal_schema_updated(self) -> None:
        """Make yoyo's tables and ours when they are not there; otherwise only look."""
        if self._internal_schema_updated:
            return
        self._refuse_second_ledger()
        present = set(self.list_tables())
        if internalmigrations.needs_upgrading(self):
            internalmigrations.upgrade(self)
        with self.transaction():
            if self.lock_table not in present:
                self.execute(self.format_sql(self.create_lock_table_sql))
            if DIGESTS not in present:
                self.execute(
                    f"""CREATE TABLE {DIGESTS} (
                            migration_hash varchar(64) PRIMARY KEY
                                REFERENCES {self.migration_table_quoted} ON DELETE CASCADE,
                            migration_id varchar(255) NOT NULL,
                            digest text NOT NULL,
                            rollback_digest text,
                            applied_at timestamptz NOT NULL DEFAULT now(),
                            applied_by text NOT NULL DEFAULT session_user,
                            healthd_version text NOT NULL)"""
                )
        self._internal_schema_updated = True

    def _refuse_second_ledger(self) -> None:
        """Raise when the search_path leads past the ledger that is there: everything would run again."""
        elsewhere = self._one(
            """SELECT string_agg(n.nspname, ', ' ORDER BY n.nspname)
                 FROM pg_catalog.pg_class AS c
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE c.relname = %s AND c.relkind = 'r' AND c.relpersistence <> 't'
                  AND n.nspname IS DISTINCT FROM current_schema""",
            (self.migration_table,),
        )
        if elsewhere is not None:
            here = self._one("SELECT current_schema")
            raise MigrationFailed(
                f"the ledger {self.migration_table} is in schema {elsewhere}, but search_path leads to "
                f"{here or 'no schema'}; {NOTHING}",
                hint=f"set search_path to begin with {elsewhere}, or move the ledger's tables",
            )

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
                  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
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

    def rollback(self) -> None:
        """Roll back; a connection on which that fails is closed, which does the same."""
        self._in_transaction = False
        if not self.connection.closed:
            try:
                super().rollback()
            except self.driver.Error:
                self.connection.close()

    def apply_one(self, migration: Any, force: bool = False, mark: bool = True) -> None:
        """Run a migration's file and mark it, together or not at all; post-apply files (`mark` no) are only logged."""
        ours = self._read(migration, force)
        self._run(ours, ours.apply, ours.path, lambda: self._record(migration, ours, mark))

    def rollback_one(self, migration: Any, force: bool = False) -> None:
        """Run a migration's rollback file and unmark it, together or not at all."""
        ours = self._read(migration, force)
        if ours.rollback is None:
            raise MigrationFailed(f"{ours.id} has no rollback; {NOTHING}", hint=f"write {ours.rollback_path.name}")
        self._run(ours, ours.rollback, ours.rollback_path, lambda: self._forget(migration))

    def _read(self, migration: Any, force: bool) -> Migration:
        """Return a migration of yoyo's as one of ours, once the ledger is there."""
        if force:
            raise MigrationFailed(f"--force would leave a migration half-way; {NOTHING}", hint="mend the file")
        path = Path(migration.path)
        if path.suffix != ".sql":
            raise MigrationFailed(
                f"{path.name} is Python, and only SQL is run; {NOTHING}",
                hint="apply it with yoyo's own backend, postgresql+psycopg://",
            )
        self.ensure_internal_schema_updated()
        return read_migration(path)

    def _run(self, migration: Migration, text: str, path: Path, book: Callable[[], None]) -> None:
        """Send a file to the server and keep the books about it."""
        check(text, path, transactional=migration.transactional)
        try:
            if migration.transactional:
                self._together(text, path, book)
            else:
                self._one_by_one(text, path, book)
            self.connection.execute("DISCARD TEMP")  # the next file must not meet this one's
        except BaseException:
            self.rollback()
            raise

    def _together(self, text: str, path: Path, book: Callable[[], None]) -> None:
        """Send the whole file at once, so that nobody decides where its statements end."""
        self.begin()
        transaction = self._one("SELECT pg_current_xact_id()")
        self._send(text, path, NOTHING)
        if self._one("SELECT pg_current_xact_id_if_assigned()") != transaction:
            raise MigrationFailed(
                f"{path.name} ends its own transaction: part of it is in, and it is not marked",
                hint="take BEGIN and COMMIT out of the file, and undo by hand what it did",
            )
        self._reset()
        self._keep(book, path, NOTHING)

    def _one_by_one(self, text: str, path: Path, book: Callable[[], None]) -> None:
        """Send a file statement by statement, each a transaction of its own."""
        for done, one in enumerate(statements(text)):
            self._send(one.text, path, _progress(done), first_line=one.line)
        if self.connection.info.transaction_status != self.TRANSACTION_STATUS_IDLE:
            raise MigrationFailed(
                f"{path.name} leaves a transaction open: what came before that is in, and it is not marked",
                hint="end the file's BEGIN with COMMIT, and undo by hand what it did",
            )
        self._reset()
        self.begin()
        self._keep(book, path, "all of it is in, and it is not marked")

    def _reset(self) -> None:
        """Take back what a file has set: search_path and role decide where and as whom the books are kept."""
        self.connection.execute("RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL")
        self.init_connection(self.connection)

    def _keep(self, book: Callable[[], None], path: Path, state: str) -> None:
        """Keep the books and commit."""
        try:
            book()
        except self.driver.Error as error:
            raise _failed(error, path, None, state) from error
        try:
            self.commit()
        except self.driver.Error as error:
            if self.connection.closed:
                raise MigrationFailed(
                    f"{path.name}: the connection was lost at the very end; whether it is in is not known",
                    hint="healthd status tells",
                ) from error
            raise _failed(error, path, None, state) from error

    def _send(self, text: str, path: Path, state: str, *, first_line: int = 1) -> None:
        """Send a text as it is; results are dropped, because standard output is for our own."""
        connection, ready = self.connection, 0
        try:
            connection.pgconn.send_query(text.encode())
            results = connection.wait(self.driver.generators.execute(connection.pgconn))
            ready = len(results) - 1
            if results[-1].status == self.driver.pq.ExecStatus.FATAL_ERROR:
                raise self.driver.errors.error_from_result(results[-1])
        except self.driver.Error as error:
            line = _line(error, text, ready)
            raise _failed(error, path, line and line + first_line - 1, state, text) from error

    def _record(self, migration: Any, ours: Migration, mark: bool) -> None:
        self.log_migration(migration, "apply")
        if not mark:
            return
        self.mark_one(migration, log=False)
        self.connection.execute(
            f"""INSERT INTO {DIGESTS} (migration_hash, migration_id, digest, rollback_digest, healthd_version)
                VALUES (%s, %s, %s, %s, %s)""",  # noqa: S608 # our own constant
            (migration.hash, migration.id, ours.digest, ours.rollback_digest, __version__),
        )

    def adopt(self, migration: Any, ours: Migration, *, mark: bool) -> None:
        """Keep the books of a migration that was applied without us; one that has a `mark` lacks our digest only."""
        if mark:
            self.mark_one(migration)
        self.connection.execute(
            f"""INSERT INTO {DIGESTS} (migration_hash, migration_id, digest, rollback_digest, healthd_version)
                VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",  # noqa: S608 # our own constant
            (migration.hash, migration.id, ours.digest, ours.rollback_digest, __version__),
        )

    def _forget(self, migration: Any) -> None:
        self.log_migration(migration, "rollback")
        self.unmark_one(migration, log=False)  # the digest goes with the mark

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> Mapping[str, Any]:
        """Return yoyo's log row; a uid without a name, as containers have, and a slow DNS are no reason to fail."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):
            user = f"uid {os.getuid()}"
        return {
            "id": str(uuid.uuid1()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": user,
            "hostname": socket.gethostname(),
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }

    def _one(self, query: str, values: Any = None) -> Any:
        row = self.connection.execute(query, values).fetchone()
        return None if row is None else row[0]


def check(text: str, path: Path, *, transactional: bool) -> None:
    """Raise MigrationFailed for a file that could only run in part."""
    if found := trouble(text, transactional=transactional):
        line, words, cure = found
        raise MigrationFailed(f"{path.name}, line {line}: {words}; {NOTHING}", hint=cure)


def _failed(error: Any, path: Path, line: int | None, state: str, text: str = "") -> MigrationFailed:
    """Return what to tell about a statement that failed: file, line, the server's words and hint."""
    diag, where = error.diag, path.name + (f", line {line}" if line else "")
    if error.sqlstate is None:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        if state != NOTHING:
            state += "; whether this one is too is not known"
        return MigrationFailed(f"{where}: the connection was lost: {reason}; {state}", hint="see the server's log")
    words = ". ".join(part for part in (diag.message_primary, diag.message_detail) if part)
    inside = f", in {diag.context.splitlines()[0]}" if diag.context else ""
    hint = diag.message_hint or ""
    if error.sqlstate == "25001":
        hint = "put `-- transactional: false` at the top of the file"
    elif CONCURRENTLY.match(text):
        hint = "the index may be there and invalid: drop it before the next try"
    return MigrationFailed(f"{where}: {words}{inside} ({error.sqlstate}); {state}", hint=hint)


def _progress(done: int) -> str:
    if done == 0:
        return NOTHING
    return f"the {done} statement{'s' * (done > 1)} before it {'are' if done > 1 else 'is'} in, and it is not marked"


def _line(error: Any, text: str, done: int) -> int | None:
    """Return the line of what failed: where the server points, or where the statement after `done` begins."""
    if position := error.diag.statement_position:
        return text.count("\n", 0, int(position) - 1) + 1
    if error.sqlstate in (None, "22P05"):  # lost, or the text as a whole does not fit the database's encoding
        return None
    failed = next(islice(statements(text), done, None), None)
    return failed.line if failed else None


def _quoted(value: Any) -> str:
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


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
